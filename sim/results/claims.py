"""What a prediction claims, as an experiment's file and the manifest of its result have it."""

from __future__ import annotations

import math
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Kept(BaseModel):
    """A table of the manifest. What it does not know is a fault: a newer program raises the version instead."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, ser_json_inf_nan="constants", defer_build=True)


class Claim(Kept):
    """One thing that the prediction says, so that results can be held against it; they do not depend on it.

    The sum over the terms of an outcome, such as domestic_supply_share@end, lies between `low` and `high`. A term
    names a case by `config` and swept keys; `times` (1 if left out) is what its outcome is multiplied by, and
    `measure` another outcome than the claim's. Or, of a Sobol design: the factor `largest` has the largest total index
    of the outcome, in config `of`, or in "CONFIG less BASELINE".
    """

    says: str = Field(min_length=1)
    measure: str = Field(min_length=1)
    terms: list[dict[str, Any]] = Field(default_factory=list)
    low: float = -math.inf
    high: float = math.inf
    largest: str | None = None
    of: str | None = None

    @model_validator(mode="after")
    def _is_one_of_two(self) -> Claim:
        if bool(self.terms) == bool(self.largest) or bool(self.largest) != bool(self.of):
            raise ValueError("terms, or largest and of")
        return self
