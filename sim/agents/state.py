"""States: they budget subsidies, and their controls are what buyers in the target come to expect."""

from sim.columns import Category, Column, ColumnAgent, rule
from sim.vocabulary import QUARTERS_PER_YEAR


class State(ColumnAgent):
    """A state of the world: the target, the lead controller, an ally or a neutral."""

    role = Category("target, lead, ally or neutral")
    is_target = Column("0 or 1", "whether the race is about this state", fixed=True)
    announced_severity = Column("0 to 1", "part of its base sales to the target that announced controls deny")
    expected_cutoff = Column("0 to 1", "part of its supply that buyers in the target expect to lose")
    sales_denied = Column("bn yuan a quarter", "sales to the target that controls deny, at base shares and 2020 prices")
    subsidy_spent = Column("bn yuan a quarter", "state money above the programme of 2020, leakage included")
    capacity_grants = Column("bn yuan a quarter", "of it, what reaches chip firms for tools")
    research_grants = Column("bn yuan a quarter", "of it, what reaches chip firms and suppliers for research")

    @rule
    def form_expectations(self) -> None:
        """Buyers move towards what is announced, a part of the way each quarter (adaptive expectations)."""
        speed = self.parameters["buyers.expectation_speed"]
        self.expected_cutoff = self.expected_cutoff + (self.announced_severity - self.expected_cutoff) * speed

    @rule
    def set_budget(self) -> None:
        """The target spends its subsidy; a part leaks away before it buys tools or research."""
        p = self.parameters
        self.subsidy_spent = p["subsidy.annual"] / QUARTERS_PER_YEAR * self.is_target
        arrives = self.subsidy_spent * (1.0 - p["subsidy.leakage"])
        self.research_grants = arrives * p["subsidy.research_share"]
        self.capacity_grants = arrives - self.research_grants
