"""The page itself: its parts are Vue components that draw themselves from the frames of the tab's session."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import solara

from sim.evidence import load_world, parameters
from sim.live.session import DEFAULT_SPEED, SPEEDS, Session
from sim.measures import describe
from sim.scenario import Scenario, known_configs, load_config
from sim.vocabulary import DEFAULT_WORLD, FIRST_YEAR, LAST_YEAR, BadInput

HERE = Path(__file__).parent
LONGEST_QUERY = 2000  # characters of a URL's query that are read
SEED_DIGITS = 18  # every whole number of so many digits is a seed
TILES = {
    "domestic_supply_share": "Made and sold in China",
    "production_share_hq": "Made by Chinese firms",
    "technology_gap": "Technology gap",
    "equipment_self_supply": "Tools bought at home",
    "unmet_demand": "Demand not met",
    "controls_severity": "Supplies denied",
}
LEVERS = [
    {
        "key": key,
        "label": label,
        "minimum": parameters()[key].minimum,
        "maximum": maximum,
        "step": step,
        "unit": parameters()[key].unit,
        "percent": parameters()[key].unit == "0 to 1",
        "hint": hint,
    }
    for key, label, maximum, step, hint in (
        (
            "controls.severity",
            "Severity of controls",
            1.0,
            0.05,
            "How much the United States denies of the inputs and chips that controls reach.",
        ),
        (
            "controls.alignment",
            "Alignment of allies",
            1.0,
            0.05,
            "What part of that severity the allies apply as well.",
        ),
        ("subsidy.annual", "Subsidy", 600.0, 10.0, "China's subsidy on top of the programme of 2020."),
        (
            "investment.annual",
            "Equity for chip firms",
            600.0,
            10.0,
            "Equity that Chinese chip firms raise; 140 in 2020.",
        ),
        (
            "mandate.domestic",
            "Buy-domestic mandate",
            1.0,
            0.05,
            "Least part of China's purchases placed with Chinese makers that have capacity.",
        ),
    )
]
SHARES = {
    "title": "Share of the chips that China uses",
    "unit": "by value, each quarter",
    "first": FIRST_YEAR,
    "last": LAST_YEAR,
    "highest": 0.75,
    "target": {"value": 0.7, "label": "70 %, the target for 2025"},
    "lines": [
        {"name": "domestic_supply_share", "label": "made in China and sold there", "colour": "var(--blue)", "dash": ""},
        {"name": "production_share_located", "label": "made in China", "colour": "var(--green)", "dash": "8 4"},
        {"name": "production_share_hq", "label": "made by Chinese firms", "colour": "var(--red)", "dash": "2 3"},
    ],
}
_opened: list[str] = ["historic"]


def opened_with(config: str) -> None:
    """The config, by name or path, of a page whose URL names none."""
    _opened[0] = config


def scenario_of(query: Mapping[str, list[str]]) -> tuple[Scenario, int, list[str]]:
    """The scenario and the seed that a URL asks for, and a sentence for each part of it that could not be used."""
    problems = []
    config, seed = _opened[0], 1
    for key, values in query.items():
        value = values[-1]
        if key == "config" and (value in known_configs() or value == _opened[0]):
            config = value
        elif key == "config":
            problems.append(f"config = {value[:40]}: must be one of {', '.join(known_configs())}")
        elif key == "seed" and value.isascii() and value.isdigit() and len(value) <= SEED_DIGITS:
            seed = int(value)
        elif key == "seed":
            problems.append(f"seed = {value[:40]}: must be a whole number from 0")
        else:
            problems.append(f"{key[:40]}: is not known; a link can hold config and seed")
    try:
        return load_config(config), seed, problems
    except BadInput as fault:
        return load_config("historic"), seed, [*problems, *fault.problems]


@solara.component_vue("feed.vue")
def Feed(frame: str = "", event_drawn: Callable[[int], None] | None = None) -> None: ...


@solara.component_vue("bar.vue")
def Bar(settings: str = "", event_command: Callable[[dict], None] | None = None) -> None: ...


@solara.component_vue("levers.vue")
def Levers(settings: str = "", event_command: Callable[[dict], None] | None = None) -> None: ...


@solara.component_vue("tiles.vue")
def Tiles(settings: str = "") -> None: ...


@solara.component_vue("chart.vue")
def Chart(settings: str = "") -> None: ...


@solara.component
def Layout(children: list[solara.Element]) -> solara.Element:
    """In place of Solara's own, which brings a bar."""
    return solara.Div(children=children)


@solara.component
def Page() -> None:
    solara.Title("Decoupling Race")
    solara.Style(HERE / "page.css")
    router = solara.use_router()
    scenario, seed, problems = solara.use_memo(lambda: scenario_of(_query(router.search)), [])
    holder: dict[str, Any] = solara.use_memo(dict, [])

    def publish(frame: str) -> None:
        if "widget" in holder:
            holder["widget"].frame = frame

    session = solara.use_memo(lambda: Session(scenario, seed, publish), [])

    about = {"config": scenario.name, "seed": seed, "problems": problems, "speeds": SPEEDS, "speed": DEFAULT_SPEED}
    with solara.Div(classes=["race"]):
        Bar(settings=json.dumps(about), event_command=session.send)
        Levers(settings=json.dumps(LEVERS), event_command=session.send)
        with solara.Div(classes=["main"]):
            Tiles(settings=json.dumps(_tiles()))
            Chart(settings=json.dumps(SHARES))
        feed = Feed(frame="", event_drawn=lambda number: session.send({"do": "drawn", "value": number}))

    def begin() -> Callable[[], None]:
        holder["widget"] = solara.get_widget(feed)
        session.start()
        return session.stop

    solara.use_effect(begin, [])


def _query(search: str | None) -> dict[str, list[str]]:
    return parse_qs((search or "")[:LONGEST_QUERY], keep_blank_values=True)


def _tiles() -> list[dict[str, Any]]:
    world = load_world(DEFAULT_WORLD)
    return [
        {
            "name": name,
            "label": label,
            "unit": measure.unit,
            "percent": measure.unit == "0 to 1",
            "meaning": measure.meaning,
        }
        for name, label in TILES.items()
        for measure in (describe(name, world),)
    ]
