"""Synthetic worlds: an illustration of any size, for scale and for reviewing a chain of many sectors.

Every value is drawn and says so; nothing in such a world was observed. A draw is a function of the seed and of the
words that name what is drawn, so one firm more moves no other firm's values.
"""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Mapping
from functools import cache
from typing import Any

from sim.errors import BadInput, nearest, written
from sim.folders import EVIDENCE, SHIPPED
from sim.world.lumped import Row, csv_text

SYNTHETIC = "synthetic"
OPTIONS = {  # option: (default, smallest, largest, unit)
    "sectors": (41, 1, 200, "sectors"),
    "firms": (1000, 1, 100_000, "firms"),
    "seed": (1, 0, (1 << 63) - 1, "seed"),
}

# id, name, role, economic weight; the weights are rough parts of world industry, USA = 1
STATES = (
    ("CHN", "China", "target", 0.8),
    ("USA", "United States", "lead", 1.0),
    ("NLD", "Netherlands", "ally", 0.1),
    ("JPN", "Japan", "ally", 0.5),
    ("TWN", "Taiwan", "ally", 0.1),
    ("KOR", "South Korea", "ally", 0.2),
    ("EUR", "Europe without the Netherlands", "ally", 0.9),
    ("ROW", "Rest of the world", "neutral", 0.5),
)
TARGET, LEAD = "CHN", "USA"
# id, kind, controlled, quality_critical, part of a sector's output spent on it (of equipment: of the spending on tools)
INPUTS = (
    ("design_software", "software", "yes", "no", 0.01),
    ("control_software", "software", "yes", "no", 0.005),
    ("machine_tools", "equipment", "yes", "no", 0.3),
    ("measuring_tools", "equipment", "yes", "yes", 0.1),
    ("robots", "equipment", "yes", "no", 0.15),
    ("process_plant", "equipment", "no", "no", 0.25),
    ("vacuum_equipment", "equipment", "yes", "no", 0.1),
    ("handling_equipment", "equipment", "no", "no", 0.1),
    ("special_steels", "material", "no", "no", 0.04),
    ("fine_chemicals", "material", "yes", "no", 0.03),
    ("catalysts", "material", "yes", "no", 0.01),
    ("electronic_materials", "material", "yes", "no", 0.02),
)
COLUMNS = """table,column,unit,minimum,maximum,role,meaning
segments,build_time,years,0.25,2,uncertainty,from the delivery of tools to output
segments,control_exposure,0 to 1,0,1,uncertainty,part of the sector's tools and software that controls reach
segments,chip_exposure,0 to 1,0,1,uncertainty,part of the sector's products that controls reach
inputs,market,bn USD a year,0.000001,100000,constant,world sales
inputs,research_intensity,of sales,0,1,uncertainty,research spending of its suppliers
inputs,dispensable,0 to 1,0,1,uncertainty,part of output that does without the material
suppliers,share,0 to 1,0,1,uncertainty,share of world sales of the input
chip_firms,output,bn USD a year,0.000001,1000,uncertainty,value of the products made at the site in 2020
chip_firms,lag,years,0,30,uncertainty,distance behind the frontier of its sector in 2020
chip_firms,capital,bn USD,0.000001,1000,uncertainty,plant and equipment at the end of 2020; the target's firms only
demand,demand,bn USD a year,0.000001,100000,uncertainty,products used in 2020
totals,value,bn USD a year,0,1000000,constant,total of 2020
"""
NO_SURGE = """["demand.surge"]
meaning = "News of the cycle in each quarter of 2021"
value = 0.0
unit = "log points a quarter"
minimum = -0.3
maximum = 0.3
low = 0.0
high = 0.0
role = "uncertainty"
grade = "assumed"
source = "illustration, not observed: an invented world has no known year"
mechanism = "growth"
neutral = 0.0

"""
KEPT_AT_HOME = 0.75  # part of what is made in the target that is sold there
CAPITAL_OF_OUTPUT = 1.2  # years
WEAR_AND_GROWTH = 0.222  # a year: what capital needs in tools, as investment.depreciation and demand.growth have it
LED_BY_STATE = 1.5  # tools bought in the target, by what its capital needs


def check_options(given: Mapping[str, tuple[Any, str]], problems: list[str]) -> dict[str, int]:
    """Sectors, firms and seed from config keys such as "synthetic.firms", each with its value and where it was set."""
    options = {name: default for name, (default, *_) in OPTIONS.items()}
    before = len(problems)
    for key, (value, where) in given.items():
        name = key.partition(".")[2]
        if name not in OPTIONS:
            known = [f"{SYNTHETIC}.{option}" for option in OPTIONS]
            problems.append(
                f"{where}: {key} = {written(value)}: must be a table [{SYNTHETIC}] with {', '.join(OPTIONS)}"
                if key == SYNTHETIC
                else f"{where}: {key}: is not a known key{nearest(key, known)}; known keys here are {', '.join(known)}"
            )
            continue
        _, smallest, largest, unit = OPTIONS[name]
        if isinstance(value, bool) or not isinstance(value, int) or not smallest <= value <= largest:
            problems.append(
                f"{where}: {key} = {written(value)}: must be a whole number from {smallest} to {largest} ({unit})"
            )
            continue
        options[name] = value
    least = len(STATES) * options["sectors"]
    if options["firms"] < least and len(problems) == before:
        _, where = given.get(f"{SYNTHETIC}.firms") or given[f"{SYNTHETIC}.sectors"]  # the default is enough for itself
        problems.append(
            f"{where}: {SYNTHETIC}.firms = {options['firms']}: must be at least {least}, one for each of "
            f"{len(STATES)} states in each of {options['sectors']} sectors"
        )
    return options


def synthetic_id(sectors: int, firms: int, seed: int) -> str:
    """How a scenario names the world, for `load_world`."""
    return f"{SYNTHETIC}:sectors={sectors},firms={firms},seed={seed}"


def synthetic_options(name: str) -> dict[str, int]:
    """The options in a name that `synthetic_id` made; those left out have their defaults."""
    given: dict[str, tuple[Any, str]] = {}
    for part in filter(None, name.partition(":")[2].split(",")):
        key, _, value = part.partition("=")
        given[f"{SYNTHETIC}.{key}"] = (int(value) if value.isdecimal() else value, name)
    problems: list[str] = []
    options = check_options(given, problems)
    if problems:
        raise BadInput(problems)
    return options


def synthetic_texts(sectors: int, firms: int, seed: int) -> dict[str, str]:
    """The text of every file of the world."""
    made = _Maker(seed)
    segments = _sectors()[:sectors] + [(f"sector_{n}", f"Sector {n}") for n in range(len(_sectors()) + 1, sectors + 1)]
    ids = [segment for segment, _ in segments]
    chip_firms = [made.firm(number, ids) for number in range(firms)]
    demand = made.demand(ids, chip_firms)
    output = sum(float(row["output"]) for row in chip_firms)
    totals = made.totals(chip_firms)
    inputs = [made.input(entry, output, float(totals[1]["value"])) for entry in INPUTS]
    suppliers = [row for entry in INPUTS for row in made.suppliers(entry[0])]
    tables = {
        "states": [{"id": state, "name": name, "role": role} for state, name, role, _ in STATES],
        "segments": [made.segment(segment, name) for segment, name in segments],
        "inputs": inputs,
        "suppliers": suppliers,
        "chip_firms": chip_firms,
        "demand": demand,
        "totals": totals,
    }
    spoken = "".join(f'{item} = "{item.replace("_", " ")}"\n' for item in (*ids, *(entry[0] for entry in INPUTS)))
    return {
        **{f"{table}.csv": csv_text(rows) for table, rows in tables.items()},
        "about.toml": f"[spoken]\n{spoken}",
        "columns.csv": COLUMNS,
        "baseline.toml": made.baseline(chip_firms, demand),
    }


@cache
def _sectors() -> list[tuple[str, str]]:
    """China's 41 industrial divisions by id and name (GB/T 4754-2017, divisions 06 to 46)."""
    path = SHIPPED / EVIDENCE / "industrial_divisions.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["id"], f"{row['division']} {row['name']} (illustration)") for row in csv.DictReader(file)]


class _Maker:
    """Draws the rows of one seed's world."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def hashed(self, *words: str) -> float:
        """A number strictly between 0 and 1 that depends on the seed and the words alone."""
        digest = hashlib.blake2b("/".join([str(self.seed), *words]).encode(), digest_size=8).digest()
        return ((int.from_bytes(digest, "little") >> 12) + 0.5) * 2.0**-52

    def between(self, low: float, high: float, *words: str) -> float:
        return low + (high - low) * self.hashed(*words)

    def factor(self, low: float, high: float, *words: str) -> float:
        """Drawn evenly on a logarithmic scale."""
        return math.exp(self.between(math.log(low), math.log(high), *words))

    def value(self, name: str, value: float, low: float, high: float, law: str) -> Row:
        """A quantity with the low, high, grade and source that the tables ask for."""
        return {
            name: _text(value),
            f"{name}_low": _text(min(low, value)),
            f"{name}_high": _text(max(high, value)),
            f"{name}_grade": "assumed",
            f"{name}_source": f"illustration, not observed: {law} (seed {self.seed})",
        }

    def state(self, *words: str) -> str:
        """A state drawn by economic weight."""
        place = self.hashed(*words) * sum(weight for *_, weight in STATES)
        for state, _, _, weight in STATES:
            place -= weight
            if place < 0:
                return state
        return STATES[-1][0]

    def segment(self, segment: str, name: str) -> Row:
        def share(quantity: str, highest: float, law: str) -> Row:
            value = self.between(0.0, highest, quantity, segment)
            return self.value(quantity, value, max(0.0, value - 0.1), min(1.0, value + 0.1), law)

        years = self.between(0.5, 2.0, "build time", segment)
        return {
            "id": segment,
            "name": name,
            "quality_bound": "yes" if self.hashed("quality bound", segment) < 0.25 else "no",
            **self.value("build_time", years, max(0.25, years - 0.25), min(2.0, years + 0.25), "even, 0.5 to 2"),
            **share("control_exposure", 1.0, "even, 0 to 1"),
            **share("chip_exposure", 0.3, "even, 0 to 0.3"),
        }

    def firm(self, number: int, segments: list[str]) -> Row:
        """The first firms are one for each state and sector; those after them have all drawn."""
        if number < len(STATES) * len(segments):
            segment, place = segments[number // len(STATES)], number % len(STATES)
            headquarters = site = STATES[place][0]
            firm = f"{headquarters.lower()}-{segment}"
            name = f"{headquarters} makers of {segment} (illustration)"
        else:
            further = number - len(STATES) * len(segments) + 1
            firm, name = f"firm-{further}", f"Firm {further} (illustration)"
            segment = segments[int(self.hashed("sector", firm) * len(segments))]
            headquarters = site = self.state("headquarters", firm)
            if self.hashed("abroad", firm) < 0.2:
                site = self.state("site", firm)
        output = self.factor(0.3, 3.0, "output", firm) * self.strength(headquarters, segment)
        lag = self.between(1.0, 8.0, "lag", firm) if headquarters == TARGET else self.between(0.0, 4.0, "lag", firm)
        capital = output * self.factor(0.8, 1.6, "capital", firm)
        law = "even on a log scale, a third to three times what its state's firms of the sector have"
        return {
            "id": firm,
            "name": name,
            "headquarters": headquarters,
            "site": site,
            "segment": segment,
            **self.value("output", output, 0.75 * output, 1.25 * output, law),
            **self.value("lag", lag, max(0.0, lag - 1.5), lag + 1.5, "even, 0 to 4, and 1 to 8 in the target"),
            **(
                self.value("capital", capital, 0.7 * capital, 1.4 * capital, "0.8 to 1.6 years of output")
                if headquarters == TARGET
                else dict.fromkeys(("capital", *(f"capital_{c}" for c in ("low", "high", "grade", "source"))), "")
            ),
        }

    def strength(self, state: str, segment: str) -> float:
        """Output of a middling firm, bn USD a year; in the target some sectors are near empty."""
        weight = next(weight for name, _, _, weight in STATES if name == state)
        low, high = (0.1, 1.2) if state == TARGET else (0.5, 2.0)
        special = self.factor(low, high, "strength", state, segment)
        return self.factor(0.5, 2.0, "size", segment) * weight * special

    def demand(self, segments: list[str], chip_firms: list[Row]) -> list[Row]:
        """The target uses a drawn part of each sector's output, and more than it makes; the others share the rest."""
        output = dict.fromkeys(segments, 0.0)
        made = dict.fromkeys(segments, 0.0)
        for row in chip_firms:
            output[row["segment"]] += float(row["output"])
            if row["site"] == TARGET:
                made[row["segment"]] += float(row["output"])
        rows = []
        for segment in segments:
            wanted = self.between(0.15, 0.45, "demand", TARGET, segment) * output[segment]
            used = {TARGET: min(0.9 * output[segment], max(wanted, 1.25 * made[segment]))}
            weights = {
                state: weight * self.factor(0.5, 2.0, "demand", state, segment)
                for state, _, _, weight in STATES
                if state != TARGET
            }
            left = (output[segment] - used[TARGET]) / sum(weights.values())
            used |= {state: left * weight for state, weight in weights.items()}
            law = "15 to 45 % of the sector's output in the target, the rest by weight of the others"
            rows += [
                {
                    "state": state,
                    "segment": segment,
                    **self.value("demand", used[state], 0.75 * used[state], 1.25 * used[state], law),
                }
                for state, *_ in STATES
            ]
        return rows

    def totals(self, chip_firms: list[Row]) -> list[Row]:
        at_home = elsewhere = 0.0
        for row in chip_firms:
            if row["site"] == TARGET:
                at_home += float(row["capital"] or CAPITAL_OF_OUTPUT * float(row["output"]))
            else:
                elsewhere += CAPITAL_OF_OUTPUT * float(row["output"])
        target = LED_BY_STATE * WEAR_AND_GROWTH * at_home
        world = target + WEAR_AND_GROWTH * elsewhere
        law = "what capital needs, and half as much again in the target"
        return [
            {"id": name, "name": words, **self.value("value", value, 0.9 * value, 1.1 * value, law)}
            for name, words, value in (
                ("equipment_spending_target", "Equipment bought in the target", target),
                ("equipment_spending_world", "Equipment bought in the world", world),
            )
        ]

    def input(self, entry: tuple[str, str, str, str, float], output: float, tools: float) -> Row:
        item, kind, controlled, critical, part = entry
        market = part * (tools if kind == "equipment" else output) * self.factor(0.5, 2.0, "market", item)
        intensity = self.between(0.03, 0.3, "research intensity", item)
        spare = self.between(0.0, 0.5, "dispensable", item) if kind == "material" else 0.0
        return {
            "id": item,
            "name": f"{item.replace('_', ' ').capitalize()} (illustration)",
            "kind": kind,
            "controlled": controlled,
            "quality_critical": critical,
            **self.value(
                "market", market, 0.5 * market, 1.5 * market, "a stated part of output or tools, halved to doubled"
            ),
            **self.value("dispensable", spare, 0.5 * spare, 1.5 * spare, "even, 0 to 0.5 of a material's use"),
            **self.value("research_intensity", intensity, 0.7 * intensity, 1.3 * intensity, "even, 0.03 to 0.3"),
        }

    def suppliers(self, item: str) -> list[Row]:
        """The lead always supplies, others by chance, the target little."""
        weights = {}
        for state, _, _, weight in STATES:
            supplies = state == LEAD or self.hashed("supplies", state, item) < 0.7
            part = self.factor(0.2, 5.0, "share", state, item) * (0.1 if state == TARGET else 1.0)
            if supplies or state == TARGET:  # the target may enter where it sells nothing yet
                weights[state] = weight * part * supplies
        shares = {state: weight / sum(weights.values()) for state, weight in weights.items()}
        law = "by weight, a fifth to five times, a tenth of it in the target"
        return [
            {
                "id": f"{state.lower()}-{item}",
                "name": f"{state} suppliers of {item} (illustration)",
                "headquarters": state,
                "input": item,
                **self.value("share", share, share / 1.33, min(1.0, 1.33 * share), law),
            }
            for state, share in shares.items()
        ]

    def baseline(self, chip_firms: list[Row], demand: list[Row]) -> str:
        rate = 6.9
        market = rate * sum(float(row["demand"]) for row in demand if row["state"] == TARGET)
        made = rate * sum(float(row["output"]) for row in chip_firms if row["site"] == TARGET)
        share = KEPT_AT_HOME * made / market
        markets, shares = (0.9 * market, 1.1 * market), (0.8 * share, 1.1 * share)
        entries = (
            # key, unit, value, admissible range, plausible range, meaning
            ("exchange_rate", "yuan per USD", rate, (5.0, 10.0), (6.7, 7.1), "Exchange rate"),
            (
                "chip_market",
                "bn yuan a year",
                market,
                (0.5 * market, 1.5 * market),
                markets,
                "Used in the target",
            ),
            ("domestic_supply_share", "0 to 1", share, (0.001, 0.999), shares, "Made and sold in the target, by use"),
            ("home_bias", "odds", 3.0, (0.2, 50.0), (1.0, 6.0), "Odds that other buyers favour makers at home"),
            ("target_home_bias", "odds", 10.0, (0.2, 200.0), (3.0, 30.0), "Odds that the target favours its suppliers"),
            (
                "line_cost",
                "years of output",
                4.0,
                (0.3, 15.0),
                (2.7, 6.0),
                "Most that a line of the target's firms costs",
            ),
            ("target_capital", "scale", 1.0, (0.5, 2.0), (0.7, 1.3), "Scale on the capital of the target's firms"),
        )
        return NO_SURGE + "\n".join(
            f'["base.{key}"]\nmeaning = "{meaning}"\nvalue = {value!r}\nunit = "{unit}"\n'
            f"minimum = {minimum!r}\nmaximum = {maximum!r}\nlow = {low!r}\nhigh = {high!r}\n"
            'role = "uncertainty"\ngrade = "assumed"\nsource = "illustration, not observed: follows from the tables as '
            'drawn, or is as in the world of chips"\n'
            for key, unit, value, (minimum, maximum), (low, high), meaning in entries
        )


def _text(value: float) -> str:
    return repr(round(value, 9))
