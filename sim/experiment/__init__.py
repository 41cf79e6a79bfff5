"""What is asked of many runs: configs, factors in a design, seeds, what is recorded."""

from sim.experiment.experiment import Experiment
from sim.experiment.file import known_experiments, load_experiment

__all__ = ["Experiment", "known_experiments", "load_experiment"]
