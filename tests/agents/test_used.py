"""Nothing of an agent is there for show: every rule is called, every column is written and read."""

import sys

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


def test_every_rule_is_used():
    """By the calls of a run; what is called alike in two classes counts for each by itself."""
    codes = rules(State) | rules(ChipFirm) | rules(Supplier)
    assert len(codes) >= 17
    called = set()
    model = DecouplingModel("historic", rng=5, set=BUSY, until=2021)
    sys.setprofile(lambda frame, event, _: called.add(frame.f_code))
    try:
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


def test_every_column_is_written_and_read():
    """In a run that records everything; what is zero everywhere at the start must be written later.

    Links and categories may be there for a person who holds the agent.
    """
    model = DecouplingModel(load_config("historic", BUSY).with_event(LEAVE), rng=5, record="all", until=2024)
    for table in model.tables.values():
        table.values = Overheard(table.values)
    model.run()
    for kind, table in model.tables.items():
        names = {name for name, column in kind.columns().items() if not isinstance(column, Link | Category)}
        names = {place for place in table.values if place.partition("[")[0] in names}
        assert len(names) >= 15
        assert names - table.values.read == set(), kind
        given = {name for name, values in table.values.items() if values.any()}
        assert names - table.values.written - given == set(), kind
