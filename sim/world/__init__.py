"""What is given: the tables of a world and sourced values, checked."""

from sim.world.world import World, known_worlds, load_world

__all__ = ["World", "known_worlds", "load_world"]
