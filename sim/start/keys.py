"""What the base year depends on. Kept apart from the base year, which imports numpy, so that `check` is quick."""

from sim.folders import SHIPPED, WORLDS
from sim.scenario.scenario import Scenario
from sim.world.synthetic import SYNTHETIC

BASE_YEAR_KEYS = (
    "base.exchange_rate",
    "base.chip_market",
    "base.domestic_supply_share",
    "base.home_bias",
    "base.target_home_bias",
    "base.target_capital",
    "base.line_cost",
    "demand.growth",
    "investment.depreciation",
    "investment.normal_utilisation",
    "state_programme.scale",
    "base.regional",
    "base.running_in",
)


def has_known_base_year(scenario: Scenario) -> bool:
    """Whether all that the base year depends on is as a world of the project has it, so that it need not be tried."""
    world = scenario.world
    ships = world.folder.parent == SHIPPED / WORLDS or world.name.startswith(f"{SYNTHETIC}:")
    return ships and all(scenario.values[key] == world.parameters[key].value for key in BASE_YEAR_KEYS)
