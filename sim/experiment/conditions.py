"""Conditions such as `domestic_supply_share >= 0.7`, as experiments and studies write them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.errors import BadInput, nearest

if TYPE_CHECKING:
    from sim.arrays import Array, Flags

FORM = re.compile(r"\s*(?P<name>[^\s<>=]+)\s*(?P<sense>>=|<=)\s*(?P<level>\S+)\s*")


@dataclass(frozen=True)
class Condition:
    """A name, a sense (">=" or "<=") and a level."""

    name: str
    sense: str
    level: float

    def met(self, values: Array) -> Flags:
        """Where values meet it; a missing value (NaN) never does."""
        return values >= self.level if self.sense == ">=" else values <= self.level

    def __str__(self) -> str:
        return f"{self.name} {self.sense} {self.level!r}"


def read_condition(text: str, where: str, known: Iterable[str]) -> Condition:
    """A condition from its text; BadInput if it has another form or names what is not known."""
    form = FORM.fullmatch(text)
    level = math.nan
    if form:
        try:
            level = float(form["level"])
        except ValueError:
            form = None
    if not form or not math.isfinite(level):
        raise BadInput(f'{where} = {text!r}: must be a name, >= or <=, and a number, such as "NAME >= 0.7"')
    known = list(known)
    if form["name"] not in known:
        raise BadInput(
            f"{where} = {text!r}: {form['name']!r} is not recorded{nearest(form['name'], known)}; "
            f"recorded are {_shortened(known)}"
        )
    return Condition(form["name"], form["sense"], level)


def _shortened(names: list[str]) -> str:
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
