"""Chip firms: one agent for what a company does at one site in one segment."""

import numpy as np

from sim.agents.learning import research_effort, successes, times_at_first, wright_cost
from sim.arrays import Array
from sim.calendar import QUARTERS_PER_YEAR
from sim.engine.columns import Category, Column, ColumnAgent, Link, Queue, rule
from sim.engine.groups import divisor, power
from sim.engine.queues import joined, kept, on_its_way

LONGEST_BUILD = 8  # quarters
NEW_PLAN = 4  # the first quarter of 2021, when the fourteenth five-year plan began


class ChipFirm(ColumnAgent):
    """A company's lines at one site in one segment. `headquarters` owns it, `site` is where its chips are made."""

    headquarters = Link("the state that owns the firm")
    site = Link("the state in which its lines are")
    segment = Category("the kind of chip it makes")
    build_quarters = Column("quarters", "from the delivery of tools to output", fixed=True)
    has_programme = Column(
        "0 or 1", "owned by the target, so reached by its programme, equity and subsidies", fixed=True
    )

    is_entrant = Column("0 or 1", "may enter on subsidies; makes nothing in 2020", fixed=True)

    has_lines = Column("0 or 1", "makes chips itself; a designer has them made by others at its site", fixed=True)
    ceiling = Column("2020 = 1", "appeal to the target's buyers that it may come to have", fixed=True)

    # What it starts from.
    base_output = Column("bn yuan a quarter", "output in 2020; of an entrant, the output of the fab it plans")
    base_capacity = Column("bn yuan a quarter", "capacity in 2020; of an entrant, of the fab it plans")
    base_investment = Column("bn yuan a quarter", "tools bought in 2020")
    programme_investment = Column("bn yuan a quarter", "tools bought by the state-led programme that 2020 contains")
    capital_per_capacity = Column("quarters", "tools in place, bn yuan, per bn yuan a quarter of capacity")
    young_capacity = Column("bn yuan a quarter", "capacity of lines in place in 2020 that still had to be run in")
    base_lag = Column("years", "distance behind its segment's frontier in 2020")
    base_experience = Column("bn yuan", "cumulative output before 2020")

    # What it has and does.
    entered = Column("0 or 1", "of an entrant, whether it is building or running its fab")
    age = Column("quarters", "since it entered")
    grant_offered = Column("bn yuan a quarter", "subsidy for tools offered to those who enter its segment")
    abandoned = Column("bn yuan a quarter", "lines being built that are given up")
    capacity = Column("bn yuan a quarter", "what its lines can make, at 2020 prices")
    pipeline = Queue("bn yuan a quarter", "lines being built, by quarters until they make chips", LONGEST_BUILD)
    outage = Column("0 to 1", "part of capacity that is lost this quarter")
    closed = Column("0 or 1", "whether its lines have closed or moved away for good")
    closing = Column("bn yuan a quarter", "capacity of its lines that close or move away this quarter")
    called_off = Column("bn yuan a quarter", "lines being built that it gives up as it closes or moves away")
    moved_out = Column("bn yuan a quarter", "of both, lines that others take over elsewhere")
    moved_in = Column("bn yuan a quarter", "lines from elsewhere that it takes over and builds up again")
    orders = Column("bn yuan a quarter", "orders received, at 2020 prices")
    output = Column("bn yuan a quarter", "chips made and sold, at 2020 prices")
    made = Column("bn yuan a quarter", "chips made and sold, and what its lines made for designers, at 2020 prices")
    adoption = Column("2020 = 1", "appeal to the target's buyers by how far they have come to know it")
    revenue = Column("bn yuan a quarter", "chips sold, and what its lines made for designers, at current prices")
    material_cover = Column("0 to 1", "part of its capacity that materials in stock allow to run")
    parts_allow = Column("bn yuan a quarter", "chips that parts in stock allow, where its segment needs any")
    return_on_lines = Column("2020 = 1", "price times utilisation, its own and its segment's")
    private_investment = Column("bn yuan a quarter", "tools it wants from profit and credit")
    investment = Column("bn yuan a quarter", "tools ordered from all sources of money")
    capacity_grant = Column("bn yuan a quarter", "subsidy received for tools")
    research_grant = Column("bn yuan a quarter", "subsidy received for research")
    push = Column("bn yuan a quarter", "tools that the push for security asks it to order")
    diverted = Column(
        "bn yuan a quarter", "money of the target's firms for tools that were denied, as it falls to this firm"
    )
    extra_money = Column(
        "bn yuan a quarter", "equity beyond that of 2020, subsidy for tools, the push, what is diverted"
    )
    absorbed = Column("bn yuan a quarter", "of it, what buys tools")
    lines_on_extra = Column("bn yuan", "lines being built that such money paid for")
    lost_to_haste = Column("bn yuan a quarter", "of it, what buys none: dearer building, idle tools, rents")
    tools_received = Column("bn yuan a quarter", "tools delivered and paid")
    line_completeness = Column("0 to 1", "what tools at hand make of the line ordered")
    new_lines = Column("bn yuan a quarter", "capacity that begins to be built")
    arrivals = Column("bn yuan a quarter", "capacity that begins to make chips")
    run_in = Column("bn yuan a quarter", "capacity of lines in place that comes to work fully")
    design_access = Column("0 to 1", "part of the design software and IP it needs that it can have")
    frontier_speed = Column("1 = the usual", "how fast the leaders' sales let its segment's frontier move")
    lag = Column("years", "distance behind its segment's frontier")
    experience = Column("bn yuan", "cumulative output")
    experience_of_others = Column("bn yuan", "cumulative output of the segment's other firms")
    unit_cost = Column("2020 = 1", "cost of a chip by Wright's law")

    @property
    def being_built(self) -> Array:
        """Its lines on their way, whenever they arrive, bn yuan a quarter."""
        return on_its_way(self.pipeline)

    @rule
    def become_known(self) -> None:
        """A young designer of the target gains buyers as a new product does, fast at first and then less.

        Logistic diffusion (Griliches 1957, Econometrica 25(4)): its software, its support and the first large orders
        bring the next ones, until it has what its potential says.
        """
        speed = self.parameters["designers.speed"] / QUARTERS_PER_YEAR
        self.adoption = self.adoption * np.exp(speed * (1.0 - self.adoption / self.ceiling))

    @rule
    def enter_or_fail(self) -> None:
        """New firms enter where subsidies are offered, by chance; unfinished fabs may fail and lose their lines.

        Wuhan Hongxin, 128 bn yuan planned, was given up before it made a chip.
        """
        p = self.parameters
        chance = -np.expm1(-p["entry.rate"] * self.grant_offered)
        enters = (
            self.is_entrant * (1.0 - self.entered) * np.where(self.draw("entry", self.is_entrant) < chance, 1.0, 0.0)
        )
        unfinished = self.entered * np.where(self.age < LONGEST_BUILD, 1.0, 0.0)
        fails = unfinished * np.where(
            self.draw("failure", self.is_entrant) < p["entry.failure"] / QUARTERS_PER_YEAR, 1.0, 0.0
        )
        self.abandoned = fails * self.being_built
        self.pipeline = kept(self.pipeline, 1.0 - fails)
        self.age = (self.age + 1.0) * self.entered * (1.0 - fails)
        self.entered = self.entered + enters - fails

    @rule
    def decide_investment(self) -> None:
        """Private investment follows the return on capital and counts lines on their way (Sterman 2000, ch. 17);
        the state's programme goes on, with a step in 2021 and growth after it; further money is absorbed with falling
        returns.

        Of the lines that further money pays for a firm counts a part as if it had ordered them itself (crowding out);
        what they do to prices and utilisation it sees in any case. Who has closed orders nothing.
        """
        p = self.parameters
        is_open = 1.0 - self.closed
        capital = self.capacity * self.capital_per_capacity
        upkeep_and_growth = (p["investment.depreciation"] + p["demand.growth"]) / QUARTERS_PER_YEAR
        lines = self.being_built * self.capital_per_capacity
        under_way = self.build_quarters - 1.0  # quarters of orders in the pipeline when it decides
        years = np.maximum(0.0, self.quarter - NEW_PLAN) / QUARTERS_PER_YEAR
        step = np.where(self.quarter < NEW_PLAN, 1.0, p["state_programme.step"])
        programme = is_open * self.programme_investment * step * np.exp(p["state_programme.growth"] * years)
        self.lines_on_extra = self.lines_on_extra * (1.0 - 1.0 / np.maximum(1.0, under_way)) + self.absorbed
        not_counted = (1.0 - p["investment.crowding_out"]) * self.lines_on_extra
        own_lines = lines - programme * under_way - not_counted
        excess = own_lines / np.where(capital > 0, capital, 1.0) - upkeep_and_growth * under_way
        expected = self.return_on_lines * self.line_completeness  # of a line that lacks tools less is to be had
        response = power(expected, p["investment.response"])
        correction = p["investment.supply_line"] / QUARTERS_PER_YEAR * excess
        wanted = capital * np.maximum(0.0, upkeep_and_growth * response - correction)
        self.private_investment = is_open * (
            self.private_investment + (wanted - self.private_investment) / p["investment.decision_lag"]
        )
        equity = (
            is_open
            * self.has_programme
            * self.base_investment
            * p["investment.external_share"]
            * (p["investment.annual"] / p["investment.annual_2020"] - 1.0)
        )
        extra = equity + self.capacity_grant + self.push + p["investment.diversion"] * self.diverted
        planned = self.is_entrant * self.base_capacity * self.capital_per_capacity
        limit = p["investment.absorption"] / QUARTERS_PER_YEAR * np.maximum(capital, planned)
        crowd = 1.0 + np.maximum(extra, 0.0) / divisor(limit)
        absorbed = np.where(extra > 0, extra / crowd * (limit > 0), extra)
        self.extra_money = extra
        self.lost_to_haste = extra - absorbed
        self.absorbed = absorbed
        self.investment = np.maximum(0.0, self.private_investment + programme + absorbed)

    @rule
    def start_lines(self) -> None:
        """Tools that were delivered become lines that make chips after the build time."""
        per_capacity = divisor(self.capital_per_capacity)
        lines = self.tools_received / per_capacity * self.line_completeness
        self.new_lines = lines
        self.pipeline = joined(self.pipeline, lines, self.build_quarters, first=1)

    @rule
    def complete_lines(self) -> None:
        """Lines that are due arrive, unless they slip by a quarter; old ones wear out.

        Lines that were in place in 2020 and not yet run in come to work fully over the year after.
        """
        p = self.parameters
        due, following, *later = self.pipeline
        slipped = np.where(self.draw("build delay") < p["build.slip_probability"], due, 0.0)
        self.arrivals = due - slipped
        self.pipeline = [following + slipped, *later, np.zeros_like(due)]
        wear = p["investment.depreciation"] / QUARTERS_PER_YEAR
        runs_in = QUARTERS_PER_YEAR <= self.quarter < 2 * QUARTERS_PER_YEAR
        self.run_in = (1.0 - self.closed) * self.young_capacity / QUARTERS_PER_YEAR * runs_in
        self.capacity = self.capacity * (1.0 - wear * self.has_lines) + self.arrivals + self.run_in

    @rule
    def learn_by_doing(self) -> None:
        """Unit cost falls with cumulative output, its own and in part that of others, at home and abroad alike."""
        p = self.parameters
        self.experience = self.experience + self.made
        known = self.experience + p["learning.spillover"] * self.experience_of_others
        self.unit_cost = wright_cost(times_at_first(known, self.base_experience), p["learning.rate"])

    @rule
    def do_research(self) -> None:
        """The target's firms close their gap by research, as far as they have design software and the best tools.

        Without them they fall behind as fast as the frontier moves, which the leaders' sales pay for.
        """
        p = self.parameters
        intensity = p["research.intensity_chip_firms"]
        effort = research_effort(
            intensity * self.revenue + self.research_grant,
            intensity * self.base_output,
            p["research.elasticity"],
            p["talent.scarcity"],
            self.headquarters.engineers,
        )
        luck = successes(self.draw("research success", self.has_programme), p["research.success_probability"])
        closing = self.has_programme * p["research.chip_catch_up"] / QUARTERS_PER_YEAR * effort * luck
        access = self.design_access * (1.0 - p["research.tool_dependence"] * (1.0 - self.line_completeness))
        pace = p["research.frontier_pace"] / QUARTERS_PER_YEAR
        slower = self.has_programme * pace * (self.frontier_speed - 1.0)
        self.lag = np.maximum(0.0, self.lag * np.exp(-closing * access) + pace * (1.0 - access) + slower)
