"""Parent death: ends a process when its parent ends, so that a parent killed with SIGKILL leaves no orphans.

    python -P PATH/OF/parent_death.py COMMAND [ARGUMENT ...]

runs a command that gets SIGTERM when its parent dies. Run as a file, which imports nothing of this package, it starts
in a twentieth of a second.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int, signal_number: int = signal.SIGKILL) -> None:
    """Have the kernel send this process a signal when its parent dies; exit at once if it is dead already.

    On Linux; on other systems this does nothing.

    Args:
        parent: The parent's process id, as the parent knows it.
        signal_number: The signal.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal_number)
        if os.getppid() != parent:
            os._exit(1)


def main() -> None:
    """Replace this process by the command, with stderr redirected to stdout: one log, in order."""
    die_with_parent(os.getppid(), signal.SIGTERM)
    os.dup2(1, 2)
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
