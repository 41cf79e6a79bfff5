"""Outages, closures and moves: whose output stops for a time, who closes for good, and whose lines go on elsewhere.

They come on dates alone; nobody in the model decides to leave, and nobody prepares for it.

Lines that close are lost with their tools. Capital is specific to its use: of plants that closed, the equipment sold
slowly and at a substantial discount (Ramey and Shapiro 2001, *Journal of Political Economy* 109(5)), and irreversible
investment is the usual assumption on exit (Dixit and Pindyck 1994). So the assumption is the hard end, that nobody
takes them over; who reckons with a buyer writes a move to that buyer's lines. Orders go to the other makers by the
rule of choice, within their capacity. Engineers are counted by state and stay there to work for others. What the firm
has learnt stays with those to whom it has spilled over. The state's programme ends with the lines that it paid for,
and materials in stock stay with the buyers that hold the same permits.

Lines that move are taken down, shipped and built up again: they make chips after the build time, all of them, which
is the most that can be saved of them. They bring neither customers nor the money of their programme along: who takes
them over sells by its own capacity. A move takes no permit, even where new tools are denied.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sim.agents import ChipFirm, Supplier
from sim.arrays import Array
from sim.engine.groups import ratio, total
from sim.engine.queues import joined
from sim.scenario.events import Event
from sim.scenario.makers import LEAVING, leaving, out
from sim.start.roster import Roster


def stop_output(firms: ChipFirm, suppliers: Supplier, events: Sequence[Event], quarter: int, roster: Roster) -> None:
    """An outage takes a part of the named firms' capacity and of the named suppliers' sales for as long as it lasts.

    Of several at once the largest counts.
    """
    lost_lines, lost_sales = np.zeros(len(roster.chip_firms)), np.zeros(len(roster.suppliers))
    for event in events:
        if event.kind == "outage" and event.quarter <= quarter < event.ended_quarter:
            named = list(out(event, roster.world))
            for lost, ids in ((lost_lines, roster.chip_firms), (lost_sales, roster.suppliers)):
                lost[:] = np.where(np.isin(ids, named), np.maximum(lost, event.severity or 0.0), lost)
    firms.outage = lost_lines
    suppliers.outage = lost_sales


def close_and_move(firms: ChipFirm, events: Sequence[Event], quarter: int, roster: Roster) -> None:
    """Lines close for good in the quarter of their event; where others take them over, these build them up again."""
    if not any(event.kind in LEAVING for event in events):
        return
    firms.closing = firms.called_off = firms.moved_out = firms.moved_in = np.zeros_like(firms.capacity)
    for event in events:
        if event.kind in LEAVING and event.quarter == quarter:
            for line, takers in leaving(event, roster.world).items():
                _close(firms, roster.chip_firms.index(line), [roster.chip_firms.index(taker) for taker in takers])


def _close(firms: ChipFirm, line: int, takers: Sequence[int]) -> None:
    """Close one firm's lines, in place and being built; share them among the takers by capacity, if there are any."""
    is_it = np.arange(firms.capacity.shape[-1]) == line
    building = firms.being_built
    lines_there = is_it * firms.has_lines  # a designer that closes has none
    firms.closing = firms.closing + lines_there * firms.capacity
    firms.called_off = firms.called_off + is_it * building
    lines = (firms.capacity + building)[:, [line]]
    firms.capacity = np.where(is_it, 0.0, firms.capacity)
    firms.pipeline = [np.where(is_it, 0.0, place) for place in firms.pipeline]
    firms.closed = np.where(is_it, 1.0, firms.closed)
    if not takers:
        return
    firms.moved_out = firms.moved_out + is_it * lines
    arriving = lines * _parts(firms.capacity, takers)
    firms.moved_in = firms.moved_in + arriving
    firms.pipeline = joined(firms.pipeline, arriving, firms.build_quarters, first=1)


def _parts(capacity: Array, takers: Sequence[int]) -> Array:
    """Each firm's part of what moves, (runs, F): by capacity, and the same for all takers where none has any."""
    takes = np.isin(np.arange(capacity.shape[-1]), takers)
    weight = np.where(takes, capacity, 0.0)
    whole = total(weight)
    return ratio(weight, whole, takes / len(takers))
