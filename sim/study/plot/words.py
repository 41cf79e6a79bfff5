"""The words of a picture: an experiment's labels, else names made of keys, with units and meanings of the manifest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sim.calendar import LAST_YEAR
from sim.compare.tables import Key, key_of
from sim.measures import SHARE
from sim.results.escape import visible
from sim.results.manifest import Manifest
from sim.scenario.labels import LABELS, SPELT_OUT
from sim.scenario.values import CAUSED
from sim.world.everyday import everyday
from sim.world.world import in_passing

MEASURES = {"controls_severity": "part of purchases denied"}  # the severity of controls is a factor
PUSH = {0: "push held", 1: "push answering"}  # how much of the target's own push the controls cause
NO_UNIT = ("", "word", "true or false", "1", "scale", "year")
WHEN = {"end": "in the last year of each run", "peak": "at its peak", "sum": "summed over the years"}


class Kept(Protocol):
    """Whatever has the manifest of a result."""

    @property
    def manifest(self) -> Manifest | None: ...


@dataclass(frozen=True)
class Words:
    """What things are called in a picture of `results`, which all have a manifest; `names` are further ones by id."""

    results: Sequence[Kept]
    names: Mapping[str, str] = field(default_factory=dict)

    def measure(self, column: str) -> str:
        """A measure or one slice of it, such as "Unmet demand: SEGMENT"."""
        if label := self._label(column):
            return label
        base, *slices = column.split(".")
        name = self._label(base) or sentence(MEASURES.get(base, _spoken(base)))
        return ": ".join([name, *([self.slices(slices)] if slices else [])])

    def slices(self, ids: Iterable[str]) -> str:
        """The names of segments, inputs, states or firms."""
        return ", ".join(self._names.get(id, _spoken(id)) for id in ids)

    def of_slices(self, column: str) -> str:
        """The names behind a measure as they stand within a sentence, in small letters but for states."""
        worlds = [world for result in self.results if result.manifest for world in result.manifest.worlds.values()]
        states = {state for world in worlds for state in world.states}
        names = ((id, self.slices([id])) for id in column.split(".")[1:])
        return ", ".join(name if id in states else in_passing(name) for id, name in names)

    def in_passing(self, column: str) -> str:
        """A measure as it stands within a sentence, such as "domestic supply share of memory"."""
        base, *slices = column.split(".")
        if self._label(column) or not slices:
            return in_passing(self.measure(column))
        return f"{in_passing(self.measure(base))} of {self.of_slices(column)}"

    def unit(self, column: str, when: str = "") -> str:
        """The unit as it is drawn: shares in per cent."""
        unit = self._note(f"{column}@{when}", "unit") or self._note(column, "unit")
        return "%" if unit == SHARE else unit

    def scale(self, column: str, when: str = "") -> float:
        return 100.0 if self.unit(column, when) == "%" else 1.0

    def meaning(self, name: str) -> str:
        """What a measure or a factor means; empty where an experiment's own label says it."""
        return "" if self._label(name) else self._note(name, "meaning")

    def key(self, key: str) -> str:
        """What is varied, such as "severity of controls", "learning, speed" or "subsidy from 2027"."""
        if label := self._label(key):
            return label
        asked = (result.manifest.experiment for result in self.results if result.manifest)
        year = next((each.since[key] for each in asked if each and key in each.since), None)
        return f"{self._name(key)} from {year}" if year else self._name(key)

    def _name(self, key: str) -> str:
        if label := LABELS.get(key) or self._everyday.get(key):
            return label
        section, _, name = key.rpartition(".")
        if section in ("", "mechanisms"):
            return _spoken(name)
        of = _spoken(section.replace(".", " "))
        return f"annual {of}" if name == "annual" else f"{of}, {in_passing(self._names.get(name) or _spoken(name))}"

    def key_with_unit(self, key: str) -> str:
        unit = self._note(key, "unit")
        return self.key(key) if unit in NO_UNIT else f"{self.key(key)} ({unit})"

    def value(self, key: str, held: Key) -> str:
        """A value by itself, such as "0.5", "historic" or "without stockpiling"."""
        text = str(held)
        if label := self._label_of(key, held) or (self._own_label(text) if key in ("config", "part") else ""):
            return label
        if key == CAUSED and held in PUSH:
            return PUSH[int(held)]
        if text in ("true", "false"):
            return f"{'with' if text == 'true' else 'without'} {self.key(key)}"
        return f"{held:.4g}" if isinstance(held, float) else text if isinstance(held, int) else _spoken(text)

    def pair(self, key: str, held: Key, unit: bool = False) -> str:
        """A value beside what it is of, where it does not say so itself."""
        if key in ("config", "part", "result", CAUSED) or held in ("true", "false") or self._label_of(key, held):
            return self.value(key, held)
        return f"{self.key(key)}: {self.value(key, held)}" + (self.unit_behind(key) if unit else "")

    def unit_behind(self, key: str) -> str:
        """The unit of a factor as it stands behind a number, with a space; shares and words have none."""
        unit = self._note(key, "unit")
        return "" if unit in (SHARE, *NO_UNIT) else f" {unit}"

    def when(self, at: str) -> str:
        manifests = [result.manifest for result in self.results if result.manifest]
        lasts = {manifest.horizon.last for manifest in manifests}
        stops = any(manifest.experiment and manifest.experiment.stop for manifest in manifests)
        if at == "end" and len(lasts) == 1 and not stops:
            return f"in {min(lasts, default=LAST_YEAR)}"
        return WHEN.get(at, f"in {at}")

    @property
    def _everyday(self) -> Mapping[str, str]:
        """What unknowns are called in everyday words, with the names of the first world."""
        first = next((result.manifest.world for result in self.results if result.manifest), None)
        return everyday(first.target_name, first.goods) if first else {}

    @property
    def _names(self) -> dict[str, str]:
        worlds = [world for result in self.results if result.manifest for world in result.manifest.worlds.values()]
        return {
            id: visible(name)
            for known in (*(world.names for world in worlds), self.names)
            for id, name in known.items()
        }

    def _label(self, name: str) -> str:
        labels = (result.manifest.labels.get(name, "") for result in self.results if result.manifest)
        return visible(next(filter(None, labels), "")).strip()

    def _label_of(self, key: str, held: Key) -> str:
        """The label of a value, which stands under "KEY = VALUE"; 0 and 0.0 are one. Empty if another value has it."""
        labels = [item for result in self.results if result.manifest for item in result.manifest.labels.items()]
        pairs = [(name.partition(" = "), label) for name, label in labels]
        held_by = {key_of(text): visible(label).strip() for (name, _, text), label in pairs if name == key}
        label = held_by.get(held, "")
        return label if list(held_by.values()).count(label) == 1 else ""

    def _own_label(self, name: str) -> str:
        """The label of a config or a part; none if another has it too."""
        label = self._label(name)
        if not label:
            return ""
        manifests = [result.manifest for result in self.results if result.manifest]
        asked = [each.experiment for each in manifests if each.experiment]
        names = {name for each in manifests for name in each.scenarios} | {
            part for each in asked for part in each.order
        }
        return "" if any(self._label(other) == label for other in names - {name}) else label

    def _note(self, column: str, what: str) -> str:
        notes = (result.manifest.columns.get(column) for result in self.results if result.manifest)
        return next((str(getattr(note, what)) for note in notes if note), "")


def source(name: str, manifest: Manifest, configs: Sequence[str], runs: int = 0) -> str:
    """Where figures come from: a result with its question, of how many runs if that is said, the program."""
    return f"{origin(name, manifest, configs, runs)}; program {manifest.program_hash[:8]}"


def origin(name: str, manifest: Manifest, configs: Sequence[str], runs: int = 0) -> str:
    """The same without the program, which changes where the figures need not."""
    scenarios = [manifest.scenarios[config] for config in configs]
    worlds = [manifest.worlds[scenario.world] for scenario in scenarios]
    asked = manifest.experiment.question if manifest.experiment else scenarios[0].purpose
    seeds = manifest.seeds
    span = f"seeds {seeds[0]} to {seeds[-1]}" if len(seeds) > 1 and runs != 1 else f"seed {seeds[0]}"
    of = f"{runs} runs" if runs > 1 else span
    each = f", {span}" if runs > 1 and len(seeds) > 1 else ""
    called = f"result {name}" if manifest.experiment else f"config {', '.join(configs)}"
    world = ", ".join(dict.fromkeys(world.name for world in worlds))
    assumed = "; every figure of this world is assumed" if any(world.assumed for world in worlds) else ""
    return visible(f"{called} ({asked}), {of}{each}; world {world}{assumed}")


def sentence(text: str) -> str:
    """Text with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def _spoken(name: str) -> str:
    return " ".join(SPELT_OUT.get(word, word) for word in visible(name).replace("-", " ").replace("_", " ").split())
