"""Suppliers of inputs: equipment, materials, design software and IP."""

import numpy as np

from sim.agents.learning import research_effort, successes, times_at_first, wright_cost
from sim.calendar import QUARTERS_PER_YEAR
from sim.engine.columns import Category, Column, ColumnAgent, Link, rule
from sim.engine.groups import power


class Supplier(ColumnAgent):
    """A state's supplier of one input."""

    headquarters = Link("the state that owns the supplier and licenses its exports")
    input = Category("what it supplies")
    research_intensity = Column("part of sales", "research spending in 2020", fixed=True)
    ease = Column("1 = the mean input", "speed of catching up in its input by what was known of it in 2019")
    has_programme = Column("0 or 1", "owned by the target, so reached by its programme and subsidies", fixed=True)

    base_revenue = Column("bn yuan a quarter", "sales in 2020")
    base_gap = Column("log points", "distance of quality from parity with the leaders in 2020")

    may_enter = Column("0 or 1", "of the target, without sales in 2019", fixed=True)

    entered = Column("0 or 1", "sells since it entered")
    outage = Column("0 to 1", "part of its sales that fails this quarter, whoever buys")
    revenue = Column("bn yuan a quarter", "sales, at 2020 prices")
    world_growth = Column("2020 = 1", "sales of all suppliers of all inputs")
    research_grant = Column("bn yuan a quarter", "subsidy received for research")
    gap = Column("log points", "distance of quality from parity with the leaders")
    frontier = Column("log points", "quality gained or lost by the leaders against their trend")
    quality = Column("2020 = 1", "quality that buyers weigh")
    experience = Column("bn yuan", "cumulative sales")
    base_experience = Column("bn yuan", "cumulative sales before 2020")
    experience_of_others = Column("bn yuan", "cumulative sales of the input's other suppliers")
    unit_cost = Column("2020 = 1", "cost of a unit by Wright's law")

    @rule
    def enter(self) -> None:
        """Where the target sold nothing in 2019 its suppliers enter by chance, sooner where catching up is easier."""
        p = self.parameters
        chance = p["research.entry_rate"] / QUARTERS_PER_YEAR * self.ease
        enters = np.where(self.draw("supplier entry", self.may_enter) < chance, self.may_enter, 0.0)
        self.entered = np.maximum(self.entered, enters)

    @rule
    def learn_by_doing(self) -> None:
        """Unit cost falls with cumulative sales, its own and in part those of others."""
        p = self.parameters
        self.experience = self.experience + self.revenue
        known = self.experience + p["learning.spillover"] * self.experience_of_others
        self.unit_cost = wright_cost(times_at_first(known, self.base_experience), p["learning.rate"])

    @rule
    def do_research(self) -> None:
        """The target's suppliers close their gap, slower where few master the art; leaders live on their sales.

        A leader whose sales, with what it is granted, fall behind the world's spends less on research than its trend
        needs and loses quality.
        """
        p = self.parameters
        own = self.research_intensity
        effort = research_effort(
            own * self.revenue + self.research_grant,
            own * self.base_revenue,
            p["research.elasticity"],
            p["talent.scarcity"],
            self.headquarters.engineers,
        )
        luck = successes(self.draw("research success", self.has_programme), p["research.success_probability"])
        closing = self.has_programme * p["research.supplier_catch_up"] / QUARTERS_PER_YEAR * self.ease * effort * luck
        sells = np.maximum(self.entered, 1.0 - self.may_enter)
        drift = self.has_programme * p["research.frontier_drift"] / QUARTERS_PER_YEAR  # what leaders gain on it
        self.gap = self.gap * np.exp(-closing * sells) + drift * sells
        leads = self.has_programme == 0
        sales = np.where(leads, self.revenue, 1.0) / np.where(leads, self.base_revenue, 1.0) / self.world_growth
        usual = own * self.revenue
        granted = 1.0 + self.research_grant / np.where(usual > 0, usual, 1.0)
        pace = p["research.leaders_pace"] / QUARTERS_PER_YEAR
        gained = pace * (power(sales * granted, p["research.leaders_elasticity"]) - 1.0)
        self.frontier = self.frontier + np.where(leads, gained, 0.0)
        self.quality = np.exp(self.base_gap - self.gap + self.frontier)
