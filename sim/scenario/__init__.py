"""What differs: a config becomes a complete baseline with a sparse override, checked."""

from sim.scenario.scenario import Scenario, known_configs, load_config

__all__ = ["Scenario", "known_configs", "load_config"]
