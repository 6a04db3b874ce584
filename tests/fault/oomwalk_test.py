#!/usr/bin/env python3
"""Every allocation may be refused: the n-th of a statement, once or from then on.

A statement ends with 53200, or works all the same; a process that had to stop (base/arena.h) is
started again. Afterwards the data is what the model says, the next statement works, and a clean
stop finds no leak (tests/support/call_walk.py).
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import call_walk  # noqa: E402

SIGABRT = -6
FENCED = "out of memory, and the arena's reserve is empty"


class OomWalk(call_walk.CallWalk):
    errors = ["refused"]

    def may_have_ended(self, process):
        """A process that has no memory left for what it must do stops: it is fenced."""
        return process.process.returncode == SIGABRT and FENCED in process.log()[-1000:]


if __name__ == "__main__":
    sys.exit(call_walk.main(__doc__, OomWalk))
