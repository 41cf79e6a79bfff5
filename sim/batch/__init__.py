"""Many runs: the only runner, which never loses a finished block."""

from sim.batch.run import run_batch

__all__ = ["run_batch"]
