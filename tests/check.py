"""All that a change must pass: style, form, types, tests. Stops at the first that fails; arguments go to pytest."""

import subprocess
import sys
from pathlib import Path

# A file's tests stay together, since they share what is slow to make.
TESTS = ("pytest", "-q", "--numprocesses=logical", "--maxprocesses=4", "--dist=loadfile")
STEPS = (("ruff", "check"), ("ruff", "format", "--check"), ("mypy",), TESTS)


def main(arguments: list[str]) -> int:
    """The exit code of the step that failed, or 0."""
    for step in STEPS:
        words = [*step, *(arguments if step[0] == "pytest" else [])]
        print("$", *words, flush=True)
        code = subprocess.run([sys.executable, "-m", *words], cwd=Path(__file__).parent.parent).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
