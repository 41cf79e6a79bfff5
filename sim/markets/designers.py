"""Trade of designers without lines: what they offer, the dies that they order for it, and what they get.

Quantities are bn yuan a quarter at 2020 prices. Shapes: S states, D designers, B order books, F firms.
"""

from __future__ import annotations

import numpy as np

from sim.agents import ChipFirm
from sim.arrays import Array
from sim.calendar import QUARTERS_PER_YEAR
from sim.engine.groups import Groups, at, ratio, total, total_over_rows
from sim.engine.parameters import Parameters
from sim.engine.runs import ByRun
from sim.markets.denial import by_lever
from sim.markets.rationing import asked_twice, rationed
from sim.start.roster import Roster

ALL = 1.0 - 1e-9  # but for rounding


class Designers(ByRun):
    """What the designers of a world hold and have asked for. Who makes for whom is in the roster's `Foundries`."""

    def __init__(self, roster: Roster, runs: int) -> None:
        self.foundries = foundries = roster.foundries
        self.any = foundries.any
        self.own = foundries.designers
        self.at_home = roster.at_home[self.own] * 1.0
        self.by_segment = Groups(roster.firm_segment[self.own], len(roster.segments))
        zeros = np.zeros((runs, len(self.own)))
        self.stock = np.zeros((runs, 1))  # chips that the target's designers can make of dies got through fronts
        self.from_stock = zeros  # chips made of it this quarter
        self.to_stock = np.zeros((runs, 1))  # chips that the dies allow which fronts got this quarter
        self.through_fronts = np.zeros((runs, 1))  # these dies
        self.claims = zeros  # dies by value of chips
        self.wanted_at_home = np.zeros((runs, len(roster.segments)))  # dies that the target's designers want there
        self._allow = np.full(zeros.shape, np.inf)  # chips, by what dies a designer thinks that it can get
        self._usual = self._allow  # the same when no maker of its dies is out
        self._working = np.ones_like(zeros)  # part of what a designer's makers have that no outage takes
        self._room = self._offered = zeros  # chips that designers could, and would, sell if there were dies for them
        self._needed = self._asked = np.zeros((runs, len(foundries.of_target)))  # dies: for these, and with fronts
        self._fronts = self._asked  # part of the dies asked for that is for fronts

    def offer(self, p: Parameters, firms: ChipFirm, orders: Array, open_part: Array) -> Array:
        """What buyers would get of designers' chips if there were dies for all, (runs, S, D).

        It is rationed among designers by what they can book, by parts in stock, by what foundries abroad may make
        and by outages of their own: who had too few dies knows it by the next quarter, and its buyers go to who can
        book more. When makers are back from an outage, designers ask for what they could get before it.
        """
        own, foundries = self.own, self.foundries
        placed = at(firms.orders, own)
        most = p["designers.booking"] * at(firms.capacity, own)
        working = foundries.by_book.spread(foundries.working(firms.base_capacity, firms.outage))
        self._allow = np.where(working > self._working, self._usual, self._allow)
        self._working = working
        room = np.minimum(np.minimum(most, at(firms.parts_allow, own)), self._allow)
        denied = by_lever(p, p["controls.foundry"]) * (foundries.of_target & ~foundries.at_home)
        left = (1.0 - foundries.by_book.spread(denied)) * (1.0 - at(firms.outage, own))
        self._room = np.where(left < 1.0, np.minimum(room, placed * left), room)
        of_designers = at(orders, own), placed, self._room, at(open_part, own)
        return rationed(*of_designers, self.by_segment, p["controls.backfill"][..., None])

    def order_dies(self, p: Parameters, offered: Array, firms: ChipFirm, able: Array) -> Array:
        """The dies that this takes and that fronts ask for, by book and maker, (runs, B, makers).

        `offered` (runs, D) are chips; the target's are made of dies in stock first.
        """
        foundries = self.foundries
        self._offered = offered
        from_stock = offered * foundries.stocks
        whole = total(from_stock)
        self.from_stock = from_stock * ratio(np.minimum(self.stock, whole), whole, 0.0)
        self.claims = foundries.claims(able, firms.unit_cost)
        self.wanted_at_home = foundries.wanted_at_home(at(firms.orders, self.own) * self.claims)
        self._needed = foundries.by_book.sum((offered - self.from_stock) * self.claims)
        fronts = p["leakage.dies"] / QUARTERS_PER_YEAR * foundries.fronts
        self._asked = self._needed + fronts
        self._fronts = ratio(fronts, self._asked, 0.0)
        return foundries.ordered(self._asked, at(able, foundries.makers))

    def served_first(self, p: Parameters, dies: Array, able: Array) -> Array:
        """The part of these orders that the target's own makers fill before others, (runs, B, makers)."""
        kept = p["designers.priority"] * at(able, self.foundries.makers)
        first: Array = np.minimum(dies, kept[:, None, :] * self.foundries.at_home[:, None])
        return first

    def asked_twice(self, dies: Array, fill: Array, slack: Array) -> tuple[Array, Array]:
        """What books get at first of their dies, and what they ask of makers with slack instead, (runs, B, makers)."""
        foundries = self.foundries
        fill, slack = at(fill, foundries.makers), at(slack, foundries.makers)[:, None, :] * foundries.serves_of_makers
        return asked_twice(dies, fill, slack, foundries.by_segment_of_makers)

    def of_makers(self, dies: Array) -> Array:
        """What each firm makes of these dies, (runs, F)."""
        made = np.zeros((len(dies), len(self.foundries.has_lines)))
        made[:, self.foundries.makers] = total_over_rows(dies)
        return made

    def receive(self, p: Parameters, dies: Array) -> Array:
        """Take what was made (runs, B, makers); the part of the offered chips that it is enough for, (runs, D)."""
        foundries, offered = self.foundries, self._offered
        got = total(dies)[..., 0]
        bought = got * self._fronts
        self.through_fronts, self.to_stock = total(bought), total(bought / foundries.claim_of_book)
        self.stock = self.stock + self.to_stock - total(self.from_stock)
        filled = foundries.by_book.spread(np.minimum(1.0, ratio(got - bought, self._needed, 1.0)))
        filled = ratio(self.from_stock + (offered - self.from_stock) * filled, offered, 1.0)
        again = p["designers.asked_when_not"] * self._allow
        self._allow = np.where(filled < ALL, p["designers.asked_when_short"] * offered * filled, again)
        self._usual = np.where(self._working < 1.0, self._usual, self._allow)
        return filled

    def booked(self, firms: ChipFirm, able: Array, filled: Array) -> Array:
        """What designers could have sold with the dies that they got, at least what they sold, (runs, D)."""
        could = np.minimum(at(able, self.own), self._room) * filled
        booked: Array = np.maximum(could, at(firms.output, self.own))
        return booked

    def part_at_home(self, filled: Array) -> Array:
        """The part of designers' chips that is of dies made in the target, (runs, D); `filled` as `receive` tells."""
        sold = self._offered * filled
        part: Array = self.at_home * (1.0 - np.minimum(1.0, ratio(self.from_stock, sold, 0.0)))
        return part
