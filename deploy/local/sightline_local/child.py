"""Runs a command that ends when its parent does, so that a supervisor killed with -9 leaves no orphans.

    python -m sightline_local.child COMMAND [ARGUMENT ...]

Only Linux can do that; elsewhere the command just runs. Its errors go where its output goes: one log, in order.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask the kernel for SIGTERM at the parent's death, then become the command."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            sys.exit("the supervisor is gone")
    os.dup2(1, 2)
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
