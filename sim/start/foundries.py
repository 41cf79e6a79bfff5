"""Who makes dies for whom: designers have no lines; makers of another segment at their site make for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.arrays import Array, Flags, Indices
from sim.engine.groups import Groups, at, divisor, total


class Foundries:
    """The order books for dies of a world's `designers.csv`: D designers, B books, F firms.

    A book holds the orders of all designers with their dies from the same segment at the same site, those of the target
    apart from others, since foundries abroad may be told not to serve them. At home the target's designers are served
    by the target's own makers; foreign owners' lines there make for their owners.
    """

    def __init__(
        self, rows: list[dict[str, Any]], firms: list[dict[str, Any]], segments: list[str], site: Indices, owned: Flags
    ) -> None:
        by_id = {row["id"]: row for row in rows}
        row_of = [by_id.get(firm["id"]) for firm in firms]
        self.is_designer: Flags = np.array([row is not None for row in row_of])
        self.any = bool(self.is_designer.any())
        self.has_lines: Array = np.where(self.is_designer, 0.0, 1.0)
        self.designers: Indices = np.flatnonzero(self.is_designer)
        own = [row for row in row_of if row is not None]
        self.claim: Array = np.array([row["claim"] for row in own])  # dies of mature lines by value of chips
        self.young: Array = np.array([1.0 / row["yield"] for row in own])  # dies begun for a good one, in 2020
        self.ceiling: Array = np.array(
            [
                1.0 if row is None or row["potential"] is None else row["potential"] / firm["output"]
                for row, firm in zip(row_of, firms, strict=True)
            ]
        )
        keys = [
            (bool(owned[designer]), int(site[designer]), segments.index(row["made_from"]))
            for designer, row in zip(self.designers, own, strict=True)
        ]
        books = sorted(set(keys))
        self.of_target: Flags = np.array([book[0] for book in books], dtype=bool)
        self.by_book = Groups(np.array([books.index(key) for key in keys], dtype=np.int64), len(books))
        segment_of = np.array([segments.index(firm["segment"]) for firm in firms])
        owners_site = {int(each) for each in site[owned & ~self.is_designer]}
        self.serves: Flags = np.zeros((len(books), len(firms)), dtype=bool)
        self.at_home: Flags = np.zeros(len(books), dtype=bool)
        for place, (of_target, where, segment) in enumerate(books):
            self.serves[place] = ~self.is_designer & (site == where) & (segment_of == segment)
            own_makers = self.serves[place] & owned
            if of_target and where in owners_site and own_makers.any():
                self.serves[place], self.at_home[place] = own_makers, True

        fronts = self.of_target & ~self.at_home
        self.fronts: Array = fronts / np.maximum(
            1, fronts.sum()
        )  # how dies that are got through fronts are ordered, by book
        self.stocks: Flags = np.take(self.of_target & self.at_home, self.by_book.group_of)  # designers who use them
        members = self.by_book.sum(np.ones(len(own))) if own else np.ones(0)
        self.claim_of_book: Array = self.by_book.sum(self.claim) / members if own else members
        self.by_line = Groups(
            np.array([segments.index(row["made_from"]) for row in own], dtype=np.int64), len(segments)
        )

        self.makers: Indices = np.flatnonzero(self.serves.any(axis=0))
        self.serves_of_makers: Array = np.where(self.serves[:, self.makers], 1.0, 0.0)
        self.by_segment_of_makers = Groups(segment_of[self.makers], len(segments))

    def working(self, capacity: Array, outage: Array) -> Array:
        """The part of each book's makers that no outage takes, (runs, B), by capacity in the base year, (runs, F).

        By that of today it would rise while an outage lasts, as who is out builds no lines, and seem to end.
        """
        if not at(outage, self.makers).any():
            return np.ones((len(capacity), len(self.serves)))
        there = at(capacity, self.makers)[:, None, :] * self.serves_of_makers
        at_work = there * (1.0 - at(outage, self.makers))[:, None, :]
        part: Array = (total(at_work) / divisor(total(there)))[..., 0]
        return part

    def claims(self, able: Array, unit_cost: Array) -> Array:
        """Dies by value of each designer's chips, (runs, D), from what makers can make and their unit cost, (runs, F).

        Young lines lose less as they learn, by Wright's law as their other costs, until they do as well as mature ones.
        """
        of_makers = self.ordered(np.ones((len(able), len(self.serves))), at(able, self.makers))
        cost = at(unit_cost, self.makers)[:, None, :]
        costs = of_makers * np.where(of_makers > 0, cost, 0.0)  # who has made nothing yet may have cost without end
        learnt = np.where(total(of_makers) > 0, total(costs), 1.0)[..., 0]  # nobody can make any: as in 2020
        lost: Array = np.maximum(1.0, self.young * self.by_book.spread(learnt))
        return self.claim * lost

    def wanted_at_home(self, dies: Array) -> Array:
        """What the target's designers want of lines at home, by the lines' segment: (runs, D) to (runs, G)."""
        return self.by_line.sum(dies * self.stocks)

    def ordered(self, dies: Array, able: Array) -> Array:
        """Each book's orders with the makers that serve it, by what they can make: (runs, B) to (runs, B, makers).

        `able` (runs, makers) is of those that serve any book.
        """
        room = able[:, None, :] * self.serves_of_makers
        whole = np.add.reduceat(room, np.array([0]), axis=-1)
        return dies[..., None] * room / divisor(whole)
