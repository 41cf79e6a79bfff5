"""States: the lead controls, allies follow, the target answers, plans and pays."""

import numpy as np

from sim.calendar import QUARTERS_PER_YEAR
from sim.engine.columns import Category, Column, ColumnAgent, Queue, rule
from sim.engine.groups import power
from sim.engine.queues import joined, on_its_way
from sim.scenario.values import RECORDED

LONGEST_ANSWER = 8  # quarters
NEW_ROUND = 0.05  # a rise of severity that counts as a new round; reactive controls also move by less


class State(ColumnAgent):
    """A state of the world: the target, the lead controller, an ally or a neutral."""

    role = Category("target, lead, ally or neutral")
    is_target = Column("0 or 1", "whether the race is about this state", fixed=True)
    is_lead = Column("0 or 1", "whether it leads the controls", fixed=True)
    controller_part = Column("0 to 1", "its part of what lead and allies spend on subsidies, by output in 2020")

    # What it sees.
    expected_cutoff = Column("0 to 1", "part of its supply that buyers in the target expect to lose")
    announced_severity = Column("0 to 1", "part of its base sales to the target that announced controls deny")
    harshest_now = Column("0 to 1", "its harshest control on any input or chip from this quarter on")
    harshest_control = Column("0 to 1", "its harshest control that firms have taken note of")
    tension = Column("0 to 1", "how much it has tightened of late")
    tools_denied = Column(
        "0 to 1",
        "for the target, part by value of its foreign tools for lines above thresholds that is or will be denied",
    )
    reckoned = Column("0 to 1", "for the target, of that what its planners have taken in")
    alarm = Column("0 to 1", "for the target, of that what its plans answer to")
    faced_control = Column("0 to 1", "for the target, the harshest control of the lead in force")
    exposed_revenue = Column("0 to 1", "part of its suppliers' sales that following the lead fully would cost")
    harm_expected = Column("bn yuan a year", "what a full control would cost the target, as the lead reckons")
    loss_expected = Column("bn yuan a year", "sales of its own firms that a full control would cost")
    retaliation_expected = Column("bn yuan a year", "output of its own firms that retaliation would cost")
    gap_closed = Column("0 to 1", "part of its technology gap of 2020 that the target has closed")
    domestic_share = Column("0 to 1", "the target's domestic supply share of about the last year")
    exposure = Column("0 to 1", "part of the target's supplies from abroad that is expected to be cut off")

    # What it does.
    follow_strength = Column("0 to 1", "part of the lead's severity that it takes over")
    wanted_severity = Column("0 to 1", "severity that the lead's doctrine asks for")
    enacted_severity = Column("0 to 1", "severity that a reactive lead has in force")
    foreseen_severity = Column("0 to 1", "severity that a reactive lead will have in a year if nothing changes")
    answers = Queue("0 to 1", "rises of control still to be answered, by quarters until they are", LONGEST_ANSWER)
    rounds = Column("rounds", "how often the lead has tightened so far")
    answered_control = Column("0 to 1", "severity of the lead that the target has answered")
    retaliation = Column("0 to 1", "part of the materials it dominates that the target denies controllers")
    plan_budget = Column("bn yuan a year", "subsidy that the target's plan adds")
    subsidy_spent = Column("bn yuan a quarter", "state money above the programme of 2020, leakage included")
    push_paid = Column("bn yuan a quarter", "state money in the push for security, on top of that")
    capacity_grants = Column("bn yuan a quarter", "of it, what reaches chip firms for tools")
    research_grants = Column("bn yuan a quarter", "of it, what reaches chip firms and suppliers for research")
    trained = Column("2020 = 1", "engineers trained at home")
    experts_denied = Column("0 to 1", "part of foreign experts' help that the target may not have")
    engineers = Column("2020 = 1", "engineers and experts at hand for research")

    @rule
    def weigh_following(self) -> None:
        """An ally follows the lead by its alignment, and the less the more its own suppliers would lose."""
        p = self.parameters
        self.follow_strength = p["controls.alignment"] * np.exp(-p["alliance.reluctance"] * self.exposed_revenue)

    @rule
    def decide_controls(self) -> None:
        """A reactive lead moves a part of the way each quarter to the severity that its doctrine asks for.

        cost-benefit: the part of the harm done that is left when its own suppliers' lost sales and the expected
        retaliation are taken off; so a target that can no longer be harmed, or can hit back, is left alone, and one
        on whose orders nobody depends any more is not. preventive: the more of the gap the target has closed ("as
        large of a lead as possible", J. Sullivan, 2022-09-16).
        """
        p = self.parameters
        harm = p["doctrine.harm_weight"] * self.harm_expected
        net = harm - self.loss_expected - self.retaliation_expected
        weighed = np.where(harm > 0, net / np.where(harm > 0, harm, 1.0), 0.0)
        prevented = p["doctrine.prevention"] * self.gap_closed
        asked = np.where(p.is_set("controls.doctrine", "preventive"), prevented, weighed)
        self.wanted_severity = self.is_lead * p["controls.severity"] * np.clip(asked, 0.0, 1.0)
        step = self.wanted_severity - self.enacted_severity
        self.enacted_severity = self.enacted_severity + p["doctrine.speed"] * step
        left = power(1.0 - p["doctrine.speed"], QUARTERS_PER_YEAR)
        self.foreseen_severity = self.wanted_severity - (self.wanted_severity - self.enacted_severity) * left

    @rule
    def remember_controls(self) -> None:
        """Each tightening adds to the tension that firms in the target feel; it fades."""
        p = self.parameters
        tightened = np.maximum(0.0, self.harshest_now - self.harshest_control)
        self.tension = np.minimum(1.0, self.tension * (1.0 - p["stockpiling.fading"]) + tightened)
        self.harshest_control = self.harshest_now

    @rule
    def take_alarm(self) -> None:
        """The target's plans answer to what it is denied with a second-order lag: first it is taken in, then acted on.

        Only a part of the push is caused by the controls of the run. The rest goes by the record: what was denied in
        the world as it was, whatever is denied here. The figures cannot tell the two apart.
        """
        p = self.parameters
        caused = p["security.caused_by_controls"]
        denied = caused * self.tools_denied + (1.0 - caused) * p.observed(RECORDED, self.quarter)
        stage = np.maximum(1.0, p["security.lag"] / 2.0)
        self.alarm = self.alarm + (self.reckoned - self.alarm) / stage * self.is_target
        self.reckoned = self.reckoned + (denied - self.reckoned) / stage * self.is_target

    @rule
    def retaliate(self) -> None:
        """The target answers each rise of the lead's control after a lag that shrinks with every round.

        It restricts materials that it dominates, in proportion; when the control eases, so does the answer.
        """
        p = self.parameters
        rise = np.maximum(0.0, self.faced_control - self.answered_control - on_its_way(self.answers))
        lag = p["retaliation.lag"] * power(p["retaliation.shrinking"], self.rounds)
        wait = np.clip(np.floor(lag + self.draw("retaliation timing", self.is_target)), 0.0, LONGEST_ANSWER - 1.0)
        self.rounds = self.rounds + np.where(rise >= NEW_ROUND, 1.0, 0.0)
        due, *later = joined(self.answers, rise, wait, first=0)
        self.answers = [*later, np.zeros_like(due)]
        self.answered_control = np.minimum(self.answered_control + due, self.faced_control)
        self.retaliation = p["retaliation.severity"] * self.answered_control * self.is_target

    @rule
    def form_expectations(self) -> None:
        """Buyers move towards what is announced, a part of the way each quarter (adaptive expectations)."""
        speed = self.parameters["buyers.expectation_speed"]
        self.expected_cutoff = self.expected_cutoff + (self.announced_severity - self.expected_cutoff) * speed

    @rule
    def revise_plan(self) -> None:
        """Once a year the target sets the money of its plan: its trend, the gap to the goal, and the exposure.

        The goal is to be reached on a straight line from 2020; the trend is the growth of the national funds.
        """
        p = self.parameters
        year = self.quarter / QUARTERS_PER_YEAR  # years since 2020
        way = np.minimum(1.0, year / p["plan.years"])
        path = p["base.domestic_supply_share"] + way * (p["plan.goal"] - p["base.domestic_supply_share"])
        points_short = 100.0 * np.maximum(0.0, path - self.domestic_share)
        trend = p["plan.base"] * np.expm1(p["plan.trend"] * year)
        wanted = trend + p["plan.gap_response"] * points_short + p["plan.exposure_response"] * 100.0 * self.exposure
        planned = p.is_set("subsidy.mode", "plan") * np.minimum(p["plan.cap"], wanted)
        self.plan_budget = planned * self.is_target

    @rule
    def set_budget(self) -> None:
        """The target and the controllers spend their subsidies; a part leaks away before it buys anything."""
        p = self.parameters
        of_target = (p["subsidy.annual"] + self.plan_budget) / QUARTERS_PER_YEAR * self.is_target
        self.subsidy_spent = of_target + p["controller_subsidy.annual"] / QUARTERS_PER_YEAR * self.controller_part
        arrives = self.subsidy_spent * (1.0 - p["subsidy.leakage"])
        self.research_grants = arrives * p["subsidy.research_share"]
        self.capacity_grants = arrives - self.research_grants

    @rule
    def train_engineers(self) -> None:
        """Engineers grow slowly; a part of the target's research rests on foreign experts, who may be called home."""
        p = self.parameters
        self.trained = self.trained * (1.0 + p["talent.growth"] / QUARTERS_PER_YEAR)
        self.engineers = self.trained * (1.0 - p["talent.foreign_part"] * self.experts_denied)
