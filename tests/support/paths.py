"""Where the project stands."""

from pathlib import Path

TESTS = Path(__file__).parent.parent
ROOT = TESTS.parent
