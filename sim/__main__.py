"""The way in, `decoupling` or `python -m sim`: an interrupt ends it quietly, also while it imports."""

import sys


def main() -> None:
    try:
        from sim.cli import main as run  # takes a moment, in which somebody may press Ctrl-C

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
