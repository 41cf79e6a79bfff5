"""The page: which screen an address shows, and Watch, whose Vue components draw the frames of the tab's session."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import solara

from sim.calendar import FIRST_YEAR, LAST_YEAR
from sim.futures.about import published
from sim.futures.levers import described
from sim.futures.shown import apart, called, meaning
from sim.live.futures import Futures, Learn
from sim.live.race import shown_measures
from sim.live.session import Session
from sim.live.watched import SPEEDS
from sim.measures import SHARE, Measure
from sim.world.world import World

HERE = Path(__file__).parent
HISTORY_FROM = 2018  # where the axis of published figures begins
TILES = {  # TARGET becomes the name of the state that the race is about
    "domestic_supply_share": "Made and sold in TARGET",
    "production_share_hq": "Made by its own firms",
    "technology_gap": "Technology gap",
    "equipment_self_supply": "Tools bought at home",
    "unmet_demand": "Demand not met",
    "controller_sales_denied": "Sales that controllers deny",
}
# Okabe and Ito's colours, which people with any colour vision can distinguish; a dash pattern says it a second time.
SHARES = [
    ("domestic_supply_share", "made in TARGET and sold there", "var(--blue)", ""),
    ("production_share_located", "made in TARGET", "var(--green)", "8 4"),
    ("production_share_hq", "made by its own firms", "var(--red)", "2 3"),
]
LOOKS = [
    ("var(--blue)", ""),
    ("var(--red)", "8 4"),
    ("var(--green)", "2 3"),
    ("var(--purple)", "8 3 2 3"),
    ("var(--orange)", "12 3"),
    ("var(--ink)", "5 2"),
]
STATES = [
    "var(--red)",
    "var(--blue)",
    "var(--orange)",
    "var(--purple)",
    "var(--green)",
    "var(--sky)",
    "var(--ink)",
    "var(--grey)",
]
_opened: list[str] = ["historic"]


def opened_with(config: str) -> None:
    """The config, by name or path, of a page whose address names none."""
    _opened[0] = config


@solara.component_vue("feed.vue")
def Feed(settings: str = "", frame: str = "", event_drawn: Callable[[object], None] | None = None) -> None: ...


@solara.component_vue("bar.vue")
def Bar(settings: str = "", event_command: Callable[[dict], None] | None = None) -> None: ...


@solara.component_vue("levers.vue")
def Levers(settings: str = "", event_command: Callable[[dict], None] | None = None) -> None: ...


@solara.component_vue("tiles.vue")
def Tiles(settings: str = "") -> None: ...


@solara.component_vue("chart.vue")
def Chart(settings: str = "") -> None: ...


@solara.component_vue("chain.vue")
def Chain(settings: str = "") -> None: ...


@solara.component_vue("heat.vue")
def Heat(settings: str = "") -> None: ...


@solara.component_vue("gaps.vue")
def Gaps(settings: str = "") -> None: ...


@solara.component_vue("log.vue")
def Log(settings: str = "") -> None: ...


@solara.component_vue("agents.vue")
def Agents(event_command: Callable[[dict], None] | None = None) -> None: ...


@solara.component
def Layout(children: list[solara.Element]) -> solara.Element:
    """In place of Solara's own, which brings a bar."""
    return solara.Div(children=children)


@solara.component
def First() -> None:
    """The screen Futures; an address that holds a moment or an event of one run is of Watch, as it always was."""
    query = parse_qs(solara.use_router().search or "")
    if query.keys() & {"at", "event", "branch"} and not query.keys() & {"from", "act"}:
        Watch()
    else:
        Futures(_opened[0])


@solara.component
def Lessons() -> None:
    Learn(_opened[0])


@solara.component
def Watch() -> None:
    solara.Title("Watch · Decoupling Race")
    solara.Style(HERE / "page.css")
    router = solara.use_router()
    holder: dict[str, Any] = solara.use_memo(dict, [])

    def publish(frame: str) -> None:
        if "widget" in holder:
            holder["widget"].frame = frame

    session = solara.use_memo(lambda: Session(router.search or "", _opened[0], publish), [])
    world = solara.use_memo(lambda: session.world, [])

    with solara.Div(classes=["race"]):
        Bar(settings=json.dumps(_bar(world)), event_command=session.send)
        Levers(settings=json.dumps(_levers(world)), event_command=session.send)
        with solara.Div(classes=["main"], attributes={"role": "main"}):
            Tiles(settings=json.dumps(_tiles(world)))
            for chart in _charts(world):
                Chart(settings=json.dumps(chart))
            Chain(settings=json.dumps(_chain(world)))
            Heat()
            Gaps()
            Log(settings=json.dumps(_state_colours(world)))
            Agents(event_command=session.send)
        feed = Feed(
            settings=world.id, frame="", event_drawn=lambda number: session.send({"do": "drawn", "value": number})
        )

    def begin() -> Callable[[], None]:
        holder["widget"] = solara.get_widget(feed)
        session.start()
        return session.stop

    solara.use_effect(begin, [])


routes = [
    solara.Route(path="/", component=First, layout=Layout, label="Decoupling Race"),
    solara.Route(path="watch", component=Watch, label="Decoupling Race"),
    solara.Route(path="learn", component=Lessons, label="Decoupling Race"),
]


def _bar(world: World) -> dict[str, Any]:
    return {"speeds": SPEEDS, "levers": [lever["key"] for lever in described(world)], "last": LAST_YEAR}


def _levers(world: World) -> dict[str, Any]:
    firms = sorted(world.rows["chip_firms"], key=lambda row: -row["output"])
    return {
        "levers": described(world),
        "states": {state: world.names[state] for state in world.states},
        "controllers": world.controllers,
        "items": [*world.inputs, *world.segments],
        "firms": [[row["id"], row["name"], row["site"], row["segment"]] for row in firms],
    }


def _tiles(world: World) -> list[dict[str, Any]]:
    known = shown_measures(world)
    return [{**_measure(known[name], world), "label": _named(label, world)} for name, label in TILES.items()]


def _named(text: str, world: World) -> str:
    """The text with the name of the world's target."""
    return text.replace("TARGET", world.names[world.target])


def _measure(measure: Measure, world: World) -> dict[str, Any]:
    return {
        "name": measure.name,
        "label": called(measure, world),
        "unit": measure.unit,
        "percent": measure.unit == SHARE,
        "meaning": meaning(measure, world),
    }


def _charts(world: World) -> list[dict[str, Any]]:
    """What the charts draw, in the page's order."""
    target = _named("TARGET", world)
    goods = world.goods
    shares = {
        "unit": f"% of the {goods} that {target} uses, by value",
        "percent": True,
        "first": HISTORY_FROM,
        "floor": 0.0,
        "published": published(world),
        "flags": True,
        "lines": _lines([(name, _named(label, world), colour, dash) for name, label, colour, dash in SHARES]),
        "height": 330,
    }
    if goal := world.goal:
        label = f"{100 * goal.share:.0f} %, the target for {goal.year}"
        shares["goal"] = {"value": goal.share, "label": label}
    by_segment = _by_segment(world)
    charts = [
        {
            **shares,
            "title": f"Three shares of the {goods} that {target} uses",
            "place": "wide",
            "when": "single",
            "future": "shown",
            "note": "Circles are published figures, up to 2024. Triangles are what states and you did.",
        },
        {**shares, "title": "Future A", "place": "pair", "when": "branched", "future": "A", "height": 290},
        {**shares, "title": "Future B", "place": "pair", "when": "branched", "future": "B", "height": 290},
        {
            "title": "Difference, B less A",
            "place": "wide",
            "when": "branched",
            "future": "difference",
            "lines": [],
            "measures": [_measure(measure, world) for measure in shown_measures(world).values()],
            "height": 330,
        },
        {
            "title": "By segment",
            "unit": f"% of the {goods} used that are made in {target} and sold there",
            "percent": True,
            "floor": 0.0,
            "place": "narrow",
            "lines": by_segment("domestic_supply_share"),
            "height": 330,
        },
        {
            "title": "Prices",
            "unit": "2020 = 1",
            "least": 0.1,
            "lines": by_segment("price_index"),
        },
        {
            "title": "Demand not met",
            "unit": "bn yuan a year",
            "floor": 0.0,
            "least": 1.0,
            "lines": by_segment("unmet_demand"),
        },
        {
            "title": "Money",
            "unit": "bn yuan a year",
            "floor": 0.0,
            "least": 1.0,
            "lines": _lines(
                [
                    ("subsidy_spent", f"subsidy of {target} above 2020's", "var(--green)", ""),
                    ("controller_sales_denied", "sales that controllers deny themselves", "var(--red)", "8 4"),
                ]
            ),
        },
        *_of_quality(world),
        {
            "title": f"Firms of {target} behind the frontier",
            "unit": "years, weighted by output",
            "floor": 0.0,
            "place": "half",
            "lines": by_segment("technology_gap"),
            "height": 290,
        },
    ]
    defaults = {"first": FIRST_YEAR, "last": LAST_YEAR, "future": "shown", "place": "third", "percent": False}
    return [{**defaults, **chart} for chart in charts]


def _of_quality(world: World) -> list[dict[str, Any]]:
    """Of chips with a quality, where there are some: what they compute, what that costs, whose they are, parts."""
    shown, target = shown_measures(world), world.target
    segments, parts = world.column("quality", "segment"), world.column("parts", "input")
    if not segments:
        return []
    name, goods = world.names[target], ", ".join(world.spoken(segment) for segment in segments)
    of_segments = [
        line
        for segment in segments
        for line in (
            (f"design_share.{segment}", "by its own designers, wherever made"),
            (f"domestic_supply_share.{segment}", f"made in {name}"),
        )
        if line[0] in shown
    ]
    charts: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
        (
            {
                "title": f"Computing power that {name} buys",
                "unit": shown[f"compute_added.{target}"].unit,
                "logarithmic": True,
            },
            [(f"compute_added.{target}", "in all"), ("compute_leaked", "smuggled in")],
        ),
        (
            {
                "title": "What computing power costs",
                "unit": shown[f"compute_price.{target}"].unit,
                "logarithmic": True,
            },
            [(f"compute_price.{state}", world.names[state]) for state in (target, world.lead)],
        ),
        (
            {
                "title": f"{goods[:1].upper()}{goods[1:]} of {name}'s own",
                "unit": f"% of the {goods} that {name} uses, by value",
                "percent": True,
                "floor": 0.0,
            },
            of_segments,
        ),
        (
            {
                "title": f"Stock of {', '.join(world.spoken(part) for part in parts)} in {name}",
                "stock": True,
                "unit": "bn yuan at 2020 prices",
                "floor": 0.0,
                "least": 0.1,
            },
            [(f"part_stock.{part}", world.spoken(part)) for part in parts],
        ),
    ]
    own = {"place": "half", "height": 260, "flags": apart(world), "published": published(world)}
    return [
        {**own, **chart, "lines": _lines([(*line, *look) for line, look in zip(lines, LOOKS, strict=False)])}
        for chart, lines in charts
        if lines
    ]


def _lines(lines: list[tuple[str, str, str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "label": label, "colour": colour, "dash": dash} for name, label, colour, dash in lines]


def _by_segment(world: World) -> Callable[[str], list[dict[str, str]]]:
    """Lines by segment; of many segments those that the target uses most."""
    used = {row["segment"]: row["demand"] for row in world.rows["demand"] if row["state"] == world.target}
    segments = world.segments
    most = sorted(segments, key=lambda segment: -used.get(segment, 0.0))[: len(LOOKS)]
    shown = [segment for segment in segments if segment in most]

    def lines(name: str) -> list[dict[str, str]]:
        return _lines(
            [(f"{name}.{segment}", world.spoken(segment), *look) for segment, look in zip(shown, LOOKS, strict=False)]
        )

    return lines


def _chain(world: World) -> dict[str, Any]:
    return {
        "states": world.states,
        "inputs": world.inputs,
        "segments": world.segments,
        "colours": _state_colours(world),
        "place": _named("TARGET", world),
        "target": world.target,
    }


def _state_colours(world: World) -> dict[str, str]:
    return {state: STATES[place % len(STATES)] for place, state in enumerate(world.states)}
