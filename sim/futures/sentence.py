"""What the futures say, in a sentence or two: numbers that follow the levers, rounded to what they can bear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sim.arrays import Array, Flags
from sim.calendar import LAST_YEAR
from sim.compare.push import ANSWERS, HELD
from sim.futures.shown import MAIN, MARKET, UNMET
from sim.futures.summary import spread
from sim.world.world import World

MISLEADS = 0.05  # the part of what buyers want that they go without, from which on a share of what they get misleads
SMALL = 9.5  # percent, below which a share is told with a decimal
Words = list[dict[str, str]]


def question(world: World) -> str:
    return f"Can {world.names[world.target]} make its own {world.goods}?"


def sentence(
    world: World, names: Sequence[str], base: Array, policy: Array | None, ends: Mapping[str, Array] | None = None
) -> Words:
    """The answer to the question: text, and numbers with the world that they are of.

    `base` and `policy` are (futures, years, measures), the same futures; with `policy` None nothing is changed. `ends`
    are the differences, policy less base, with the target's push held and with it answering.
    """
    name, goods, place = world.names[world.target], world.goods, list(names).index(MAIN)
    ours = base if policy is None else policy
    shares = 100 * ours[:, :, place]
    apart = None if policy is None else 100 * (policy[:, -1, place] - base[:, -1, place])
    digits = _digits(shares[:, -1], apart)
    opening = f"As things stand, {name} makes " if policy is None else f"In your world {name} makes "
    words = [_text(opening), _text(_percent(shares[:, -1], digits), "base" if policy is None else "policy")]
    words.append(_text(f" of the {goods} it uses in {LAST_YEAR}{_nine_of_ten(shares[:, -1])}"))
    if apart is not None:
        words += [_text("; without the change "), _text(_percent(100 * base[:, -1, place], digits), "base")]
    words.append(_text("."))
    between = {end: 100 * values[:, -1, place] for end, values in (ends or {}).items()}
    if between and _more(float(np.nanmedian(between[HELD]))) != _more(float(np.nanmedian(between[ANSWERS]))):
        words += _ends(name, between)
    elif apart is not None:
        words += _gain(apart)
    return [*words, *(_goes_without(world, names, ours) or _goal(world, shares))]


def warnings(world: World, names: Sequence[str], base: Array, policy: Array | None) -> list[str]:
    """Sentences on what must be known to read the chart: where a share says little, since buyers go without."""
    name, goods = world.names[world.target], world.goods
    worlds = {"As things stand": base} if policy is None else {"In your world": policy, "Without the change": base}
    found = []
    for where, values in worlds.items():
        unmet, part = _unmet(names, values)
        years = [place for place in range(values.shape[1]) if part[place] >= MISLEADS]
        if years:
            most = max(years, key=lambda place: part[place])
            found.append(
                f"{where} buyers in {name} go without {100 * part[most]:.0f} % of the {goods} they want in "
                f"{LAST_YEAR - values.shape[1] + 1 + most}, when that part is largest: {_amount(unmet[most])} bn yuan "
                f"a year{_most_of_it(world, names, values, most)}."
            )
    if found:
        found[-1] += " A share of what they do get says little then: it can rise because there is less to be had."
    return found


def left_out(ran: Flags) -> list[str]:
    """A sentence where some futures could not be run."""
    failed = int((~ran).sum())
    if not failed:
        return []
    return [f"{failed} of {len(ran)} futures could not be run under this policy and {_are(failed)} left out."]


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _text(text: str, role: str = "") -> dict[str, str]:
    return {"text": text, "role": role}


def _digits(shares: Array, apart: Array | None) -> int:
    """Whole percents, but for small shares and small differences."""
    small = float(np.median(shares)) < SMALL or (apart is not None and 0.05 <= abs(float(np.median(apart))) < 2.0)
    return 1 if small else 0


def _percent(shares: Array, digits: int) -> str:
    return f"{np.median(shares):.{digits}f} %"


def _nine_of_ten(shares: Array) -> str:
    held = spread(shares)
    if held["low"] is None:
        return " in one future"
    digits = 1 if float(np.median(shares)) < SMALL else 0
    low, high = f"{held['low']:.{digits}f}", f"{held['high']:.{digits}f}"
    return f" ({low} to {high} in nine of ten futures)" if low != high else f" ({low} in nine of ten futures)"


def _gain(apart: Array) -> Words:
    """How much more or less, pair by pair."""
    if np.abs(apart).max() < 0.05:
        return [_text(" That is the same in every future.")]
    held = spread(apart)
    median, low, high = (float(held[key] or 0.0) for key in ("median", "low", "high"))
    if held["low"] is None:
        return [_text(" That is "), _text(_more(median), "difference"), _text(".")]
    if max(abs(low), abs(high)) < 0.15:
        return [_text(" That is the same to a tenth of a point.")]
    if low < -0.05 and high > 0.05:
        return [
            _text(" Which way the change works is open: "),
            _text(_more(median), "difference"),
            _text(f" in the middle, from {_more(low)} to {_more(high)}."),
        ]
    return [_text(" That is "), _text(_more(median), "difference"), _text(f" ({_range(low, high)}).")]


def _ends(name: str, ends: Mapping[str, Array]) -> Words:
    """What the change does at the two ends of what is not known of the target's push."""
    bite, total = (_more(float(np.nanmedian(ends[push]))) for push in (HELD, ANSWERS))
    return [
        _text(f" What the change does hangs on {name}'s push to build what it is denied: "),
        _text(bite, "difference"),
        _text(" if that goes on as before (the bite), "),
        _text(total, "difference"),
        _text(" if it answers the change (the total)."),
    ]


def _range(low: float, high: float) -> str:
    """Both ends without their sign, the smaller first."""
    smaller, larger = sorted([abs(low), abs(high)])
    return f"{smaller:.1f} to {larger:.1f}"


def _more(points: float) -> str:
    size = f"{abs(points):.1f}"
    if size == "0.0":
        return "no points more or less"
    return f"{size} point{'' if size == '1.0' else 's'} {'more' if points > 0 else 'less'}"


def _unmet(names: Sequence[str], values: Array) -> tuple[Array, Array]:
    """What buyers go without by year in the median future, bn yuan a year, and as a part of what they want."""
    unmet, market = (values[:, :, list(names).index(name)] for name in (UNMET, MARKET))
    part = unmet / np.where(unmet + market > 0, unmet + market, 1.0)
    return np.median(unmet, axis=0), np.median(part, axis=0)


def _most_of_it(world: World, names: Sequence[str], values: Array, year: int) -> str:
    """Of what buyers go without more than half in most futures, if that is recorded."""
    of = {name: values[:, year, place] for place, name in enumerate(names)}
    for segment in world.segments:
        if (part := of.get(f"{UNMET}.{segment}")) is not None and np.median(part - of[UNMET] / 2) > 0:
            return f", most of it {world.spoken(segment)}"
    return ""


def _goes_without(world: World, names: Sequence[str], values: Array) -> Words:
    unmet, part = _unmet(names, values)
    if part[-1] < MISLEADS:
        return []
    return [
        _text(
            f" But its buyers then go without {_amount(unmet[-1])} bn yuan of {world.goods} a year, "
            f"{100 * part[-1]:.0f} % of what they want, so the share says little."
        )
    ]


def _amount(money: float) -> str:
    """Three digits at most, with the thousands apart."""
    return f"{money:,.0f}" if money >= 10 else f"{money:.1f}"


def _goal(world: World, shares: Array) -> Words:
    """In how many futures the target's goal is reached by the last year."""
    goal = world.goal
    if goal is None or len(shares) == 1:
        return []
    reached = int((shares >= 100 * goal.share).any(axis=1).sum())
    wanted = f"the {100 * goal.share:.0f} % that it wanted by {goal.year}"
    if reached == 0:
        return [_text(f" In no future does it reach {wanted}, not by {LAST_YEAR} either.")]
    count = "every future" if reached == len(shares) else f"{reached} of {len(shares)} futures"
    return [_text(f" In {count} it reaches {wanted}, by {LAST_YEAR}.")]


def as_text(words: Words) -> str:
    return "".join(word["text"] for word in words)
