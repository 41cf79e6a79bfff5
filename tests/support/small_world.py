"""A world small enough for arithmetic: three states, a segment, three firms, a tool, two materials, software."""

import shutil

from support.paths import ROOT

ASSUMED = ("assumed", "made up for a test")
STATED = {"base.chip_market": 69.0, "base.domestic_supply_share": 0.5, "base.target_home_bias": 1.0}
FIRMS = {"home": ("CHN", 6.0), "big": ("USA", 30.0), "small": ("ROW", 4.0)}  # bn USD a year
DEMAND = {"CHN": 10.0, "USA": 22.0, "ROW": 8.0}
SHARES = {  # of the world's sales of each input
    "press": {"USA": 0.6, "ROW": 0.3, "CHN": 0.1},
    "resin": {"USA": 0.9, "ROW": 0.1, "CHN": 0.0},
    "salt": {"USA": 0.5, "ROW": 0.25, "CHN": 0.25},
    "design": {"USA": 0.8, "ROW": 0.2},
}
KINDS = {"press": "equipment", "resin": "material", "salt": "material", "design": "software"}
MARKETS = {"press": 2.0, "resin": 1.0, "salt": 1.0, "design": 0.5}  # bn USD a year


def small_world(folder):
    """The world's folder and a config of it in which nothing grows, nobody fills in and prices stay."""
    world = folder / "small"
    shutil.copytree(ROOT / "configs/worlds/crop-seeds", world)
    (world / "about.toml").write_text('goods = "chips"\n')
    for name, rows in _tables().items():
        path = world / f"{name}.csv"
        header = path.read_text().splitlines()[0].split(",")
        lines = [",".join(str(row.get(column, "")) for column in header) for row in rows]
        path.write_text("\n".join([",".join(header), *lines, ""]))
    lines = (world / "baseline.toml").read_text().splitlines()
    for key, value in STATED.items():
        place = lines.index(f'["{key}"]')
        for name, number in (("value", value), ("low", value), ("high", value), ("minimum", 0.1), ("maximum", 100.0)):
            spot = next(n for n in range(place, len(lines)) if lines[n].startswith(f"{name} = "))
            lines[spot] = f"{name} = {number}"
    (world / "baseline.toml").write_text("\n".join(lines))
    config = folder / "small.toml"
    config.write_text(
        f'purpose = "A small world that stands still"\nextends = "neutral"\nworld = "{world}"\n'
        "[mechanisms]\nprices = false\nbackfill = false\nentry = false\n[materials]\nstock_quarters = 1.2\n"
    )
    return config


def _given(name, value, low=None, high=None):
    """A quantity of a table with its range, grade and source."""
    ends = (value if low is None else low, value if high is None else high)
    return {name: value, f"{name}_low": ends[0], f"{name}_high": ends[1], f"{name}_grade": ASSUMED[0]} | {
        f"{name}_source": ASSUMED[1]
    }


def _tables():
    roles = {"CHN": "target", "USA": "lead", "ROW": "neutral"}
    names = {"CHN": "Home", "USA": "Lead", "ROW": "Others"}
    exposed = [_given(name, 0.5) for name in ("control_exposure", "chip_exposure")]
    segment = {"id": "chips", "name": "Chips", "quality_bound": "no"} | _given("build_time", 1.0)
    for given in exposed:
        segment |= given
    return {
        "states": [{"id": state, "name": names[state], "role": role} for state, role in roles.items()],
        "segments": [segment],
        "inputs": [
            {"id": item, "name": item.title(), "kind": KINDS[item]}
            | {"controlled": "yes", "quality_critical": "no"}
            | _given("market", market)
            | _given("research_intensity", 0.1)
            | _given("dispensable", 0.0)
            for item, market in MARKETS.items()
        ],
        "suppliers": [
            {"id": f"{state.lower()}-{item}", "name": f"{item} of {state}", "headquarters": state, "input": item}
            | _given("share", share)
            for item, shares in SHARES.items()
            for state, share in shares.items()
        ],
        "chip_firms": [
            {"id": f"{name}-fab", "name": name.title(), "headquarters": state, "site": state, "segment": "chips"}
            | _given("output", output)
            | _given("lag", 1.0)
            | (_given("capital", 3.0) if state == "CHN" else {})
            for name, (state, output) in FIRMS.items()
        ],
        "demand": [{"state": state, "segment": "chips"} | _given("demand", used) for state, used in DEMAND.items()],
        "totals": [
            {"id": f"equipment_spending_{where}", "name": f"Equipment of the {where}"} | _given("value", spent)
            for where, spent in (("target", 0.75), ("world", 2.0))
        ],
    }
