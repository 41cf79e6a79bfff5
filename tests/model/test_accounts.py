"""Accounts close every quarter, and a leak stops the run with its name."""

import numpy as np
import pytest

from sim import DecouplingModel, schedule
from sim.accounts import Leak, balance


def test_balance_is_relative_and_refuses_nan():
    balance("books", np.array([1e6]), np.array([1e6 + 1e-3]), "2020-Q1")
    with pytest.raises(Leak, match="2021-Q2: the account 'books' does not balance"):
        balance("books", np.array([1.0]), np.array([1.0 + 1e-7]), "2021-Q2")
    with pytest.raises(Leak, match="not finite"):
        balance("books", np.array([np.nan]), np.array([1.0]), "2021-Q2")


def leaky(monkeypatch, after, spill):
    """Run two quarters with something spilt after a phase."""

    def phase(model):
        getattr(schedule, after)(model)
        spill(model)

    phases = tuple(phase if each.__name__ == after else each for each in schedule.PHASES)
    monkeypatch.setattr("sim.model.PHASES", phases)
    model = DecouplingModel("published-2020", set={"subsidy.annual": 100})
    model.step()


def put(owner, name, change):
    def spill(model):
        holder = getattr(model, owner)
        setattr(holder, name, change(getattr(holder, name)))

    return spill


def spilt_by_makers(model):
    """Makers with lines sell more than they were able to make, and designers do not."""
    firms = model.chip_firms
    more = 0.001 * firms.output * firms.has_lines
    firms.output, firms.made = firms.output + more, firms.made + more


@pytest.mark.parametrize(
    ("after", "spill", "account"),
    [
        ("chip_market", put("chip_market", "sales", lambda sales: sales * 1.001), "chips"),
        ("chip_market", put("chip_firms", "output", lambda output: output * 1.001), "dies: made for designers"),
        ("chip_market", spilt_by_makers, "chips: made = bought"),
        ("input_market", put("suppliers", "revenue", lambda revenue: revenue * 1.001), "inputs: suppliers' revenue"),
        ("input_market", put("input_market", "stock", lambda stock: stock * 1.001), "materials"),
        ("input_market", put("chip_firms", "tools_received", lambda tools: tools * 1.001), "tools"),
        ("lines", put("chip_firms", "capacity", lambda capacity: capacity * 1.001), "lines: capacity"),
        ("lines", put("chip_firms", "pipeline", lambda places: [places[0] * 1.01, *places[1:]]), "lines: building"),
        ("investment", put("chip_firms", "capacity_grant", lambda grant: grant * 1.001), "subsidy"),
    ],
)
def test_a_leak_is_named(monkeypatch, after, spill, account):
    with pytest.raises(Leak, match=account):
        leaky(monkeypatch, after, spill)
