"""Nothing of an agent is there for show: every rule is called, every column is written and read."""

import sys

import pytest
from support.models import seeds
from support.packs import packs

from sim.agents import ChipFirm, State, Supplier
from sim.engine.columns import Category, Link
from sim.model import DecouplingModel
from sim.scenario.loading import load_config

# Under these all rules have something to decide.
LEAVE = {"date": "2022-01-01", "by": "KOR", "kind": "withdrawal", "to": "KOR"}
BUSY = {"controls.alignment": 0.6, "subsidy.annual": 200, "subsidy.allocation": "bottleneck", "mandate.domestic": 0.2}


def rules(kind):
    """The rules that a kind of agent states itself: {name: the code inside}."""
    own = {name: member for name, member in vars(kind).items() if getattr(member, "is_rule", False)}
    return {f"{kind.__name__}.{name}": member.__wrapped__.__code__ for name, member in own.items()}


@pytest.fixture
def of_designers(tmp_path):
    """A config of a world where some make what they sell on the lines of others."""
    return seeds(tmp_path, packs())


def test_every_rule_is_used(of_designers):
    """By the calls of two runs; what is called alike in two classes counts for each by itself."""
    codes = rules(State) | rules(ChipFirm) | rules(Supplier)
    assert len(codes) >= 17
    called = set()
    models = [DecouplingModel("historic", rng=5, set=BUSY, until=2021), DecouplingModel(of_designers, until=2021)]
    sys.setprofile(lambda frame, event, _: called.add(frame.f_code))
    try:
        for model in models:
            model.run()
    finally:
        sys.setprofile(None)
    assert [name for name, code in codes.items() if code not in called] == []


class Overheard(dict):
    """The values of a table's columns; knows which were taken and which were replaced."""

    def __init__(self, values):
        super().__init__(values)
        self.read, self.written = set(), set()

    def __getitem__(self, name):
        self.read.add(name)
        return super().__getitem__(name)

    def __setitem__(self, name, values):
        self.written.add(name)
        super().__setitem__(name, values)


def test_every_column_is_written_and_read(of_designers):
    """In one of two runs that record everything; what is zero everywhere at the start must be written later.

    Links and categories may be there for a person who holds the agent.
    """
    busy = load_config("historic", BUSY).with_event(LEAVE)
    models = [DecouplingModel(config, rng=5, record="all", until=2024) for config in (busy, of_designers)]
    for model in models:
        for table in model.tables.values():
            table.values = Overheard(table.values)
        model.run()
    for kind in (State, ChipFirm, Supplier):
        overheard = [model.tables[kind].values for model in models]
        names = {name for name, column in kind.columns().items() if not isinstance(column, Link | Category)}
        names = {place for place in overheard[0] if place.partition("[")[0] in names}
        assert len(names) >= 15
        assert names - set.union(*(values.read for values in overheard)) == set(), kind
        written = set.union(*(values.written for values in overheard))
        given = {name for values in overheard for name in values if values[name].any()}
        assert names - written - given == set(), kind
