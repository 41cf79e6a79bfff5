"""The way in, `decoupling` or `python -m sim`: an interrupt ends it quietly, also while it imports.

A fault of the program is a sentence with the place of its trace, and an exit code of its own.

SIGTERM ends it in the same order, so that what is open is closed, with the exit code that a shell gives for it.
"""

import gc
import os
import signal
import sys

TERMINATED = 128 + signal.SIGTERM
FAULT = 70  # EX_SOFTWARE of sysexits.h


def main() -> None:
    gc.set_threshold(100_000)  # a start makes next to nothing that may be thrown away, and looking for it takes 5 %
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for some takes a tenth of the start
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    try:
        from sim.cli import main as run  # takes a moment, in which somebody may press Ctrl-C

        run()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as fault:
        from sim.terminal import note_fault

        note_fault(fault)
        sys.exit(FAULT)
    finally:
        gc.freeze()  # what was imported need not be looked through once more before the end, which takes a tenth


if __name__ == "__main__":
    main()
