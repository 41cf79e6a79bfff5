"""What differs: a config becomes a complete baseline with a sparse override, checked."""

from sim.scenario.loading import known_configs, load_config
from sim.scenario.scenario import Scenario

__all__ = ["Scenario", "known_configs", "load_config"]
