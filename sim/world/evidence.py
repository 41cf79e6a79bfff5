"""Sourced values: parameters, and how they are read.

Nothing enters the model without a unit, an admissible range, a grade and a source; what is merely assumed gives
its reason and a low and a high. Loading refuses anything else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from numbers import Real
from pathlib import Path
from typing import Any, Literal

import tomli
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from sim.errors import BadInput, nearest, written

Grade = Literal["measured", "estimated", "calibrated", "assumed"]
Role = Literal["lever", "switch", "uncertainty", "constant"]
Value = float | str | bool
GRADES = ("measured", "estimated", "calibrated", "assumed")  # the surest first
ROLES = ("lever", "switch", "uncertainty", "constant")


class Parameter(BaseModel):
    """One lever, uncertainty or constant.

    A number has an admissible range (`minimum`, `maximum`) and a plausible one (`low`, `high`); a word has `choices`.
    `mechanism` names the switch that, when off, gives the parameter its `neutral` value. `table` names the table of a
    world without which it means nothing: worlds that lack the table do not have the parameter.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    value: bool | float | str
    unit: str
    meaning: str
    role: Role
    grade: Grade
    source: str
    minimum: float | None = None
    maximum: float | None = None
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] | None = None
    mechanism: str | None = None
    neutral: float | str | None = None
    table: str | None = None

    @model_validator(mode="after")
    def _is_complete(self) -> Parameter:
        if not self.source.strip():
            raise ValueError("a source is missing; say where the value comes from, or why it is assumed")
        if self.is_number:
            if self.minimum is None or self.maximum is None:
                raise ValueError("a number needs minimum and maximum, its admissible range")
            if self.role != "lever" and (self.low is None or self.high is None):
                raise ValueError("a number that is not a lever needs low and high, its plausible range")
            if self.low is not None and self.high is not None and not self.low <= float(self.value) <= self.high:
                raise ValueError(f"the value {self.value} is not between low {self.low} and high {self.high}")
        elif isinstance(self.value, str) and not self.choices:
            raise ValueError("a word needs its choices")
        if (self.mechanism is None) != (self.neutral is None):
            raise ValueError("mechanism and neutral belong together")
        fault = self.check(self.value)
        if fault:
            raise ValueError(fault)
        return self

    @property
    def is_number(self) -> bool:
        return isinstance(self.value, float | int) and not isinstance(self.value, bool)

    def check(self, value: object) -> str | None:
        """What is wrong with a proposed value and what would be right, or None."""
        if isinstance(self.value, bool):
            return None if isinstance(value, bool) else "must be true or false"
        if self.choices:
            if value in self.choices:
                return None
            return f"must be one of {', '.join(self.choices)}{nearest(value, self.choices)}"
        fault = self._fault_of_number(value)
        return f"{fault} {range_of(self.minimum, self.maximum, self.unit)}" if fault else None

    def _fault_of_number(self, value: Any) -> str:
        """The beginning of a sentence that ends with the range; nothing for a number within it."""
        is_number = isinstance(value, float | Real) and not isinstance(value, bool)
        if not is_number:
            return "must be a number"
        assert self.minimum is not None and self.maximum is not None
        if value != value or value in (math.inf, -math.inf):
            return "must be finite,"
        if not self.minimum <= value <= self.maximum:  # whole numbers stay whole: they may be too large for a float
            return "is out of range; it must be"
        if self.unit == "year" and value != round(value):
            return "must be a whole year"
        return ""


def range_of(minimum: float | None, maximum: float | None, unit: str) -> str:
    """'from 0 to 2000 (bn yuan a year)'."""
    ends = f"{minimum:g} to {maximum:g}"
    return f"from {ends}" if unit == ends else f"from {ends} ({unit})"


def value_of(text: str, like: Value) -> Value:
    """A cell of a table as the kind of value that a parameter has; the text itself where it is none."""
    if isinstance(like, bool):
        return {"true": True, "false": False}.get(text.lower(), text)  # spreadsheets write TRUE
    if isinstance(like, str):
        return text
    try:
        return float(text)
    except ValueError:
        return text


def read_text(path: Path, advice: str = "") -> str:
    """A file's text, or BadInput saying what is wrong with the file; `advice` is added when there is no such file."""
    try:
        if path.exists() and not path.is_file():
            raise BadInput(f"{path}: is not a regular file")
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise BadInput(f"{path}: there is no such file{advice}") from None
    except UnicodeDecodeError as fault:
        raise BadInput(f"{path}: is not UTF-8 text (byte {fault.start}); save it as UTF-8") from None
    except OSError as fault:
        raise BadInput(f"{path}: cannot be read ({fault.strerror})") from None


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as a dictionary, or BadInput saying what is wrong with the file."""
    return toml_of(read_text(path), path)


def toml_of(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomli.loads(text.replace("\r\n", "\n"))
    except (ValueError, RecursionError) as fault:  # also numbers of thousands of digits, and tables as deep
        raise BadInput(f"{path}: is not valid TOML: {fault}") from None


def flatten(
    table: Mapping[Any, Any], where: str = "", is_whole: Callable[[dict[str, Any]], bool] | None = None
) -> dict[str, Any]:
    """Nested TOML tables as one level of dotted keys: {"a": {"b": 1}} gives {"a.b": 1}.

    Tables for which `is_whole` holds are values. BadInput, beginning with `where`, for a key written in two ways.
    """
    flat: dict[str, Any] = {}
    waiting = list(reversed([*table.items()]))
    while waiting:  # no recursion: a key may have thousands of dots
        key, value = waiting.pop()
        if isinstance(value, dict) and not (is_whole and is_whole(value)):
            waiting += [(f"{key}.{inner}", each) for inner, each in reversed(value.items())]
        elif str(key) in flat:
            raise BadInput(
                f"{where}: {key} = {written(value)}: is given twice, {written(flat[str(key)])} too; give one"
            )
        else:
            flat[str(key)] = value
    return flat


def read_parameters(path: Path) -> dict[str, Parameter]:
    """Every parameter of an evidence file, in its order; BadInput with all faults at once."""
    problems: list[str] = []
    parameters = parameters_of(read_toml(path), path, problems)
    if problems:
        raise BadInput(problems)
    return parameters


def parameters_of(content: Mapping[str, Any], path: Path, problems: list[str]) -> dict[str, Parameter]:
    parameters: dict[str, Parameter] = {}
    for name, entry in content.items():
        if not isinstance(entry, dict):
            problems.append(f"{path}: {name}: must be a table with value, unit, range, role, grade and source")
            continue
        try:
            parameters[name] = Parameter(name=name, **entry)
        except ValidationError as fault:
            for error in fault.errors():
                key = ".".join([name, *map(str, error["loc"])])
                if error["type"] == "missing":
                    problems.append(f"{path}: {key} is missing; give value, unit, meaning, role, grade and source")
                elif error["type"] == "extra_forbidden":
                    problems.append(
                        f"{path}: {key}: is not a known key{nearest(str(error['loc'][-1]), Parameter.model_fields)}"
                    )
                else:
                    message = error["msg"].removeprefix("Value error, ")
                    problems.append(f"{path}: {key}: {message[0].lower()}{message[1:]}")
    return parameters
