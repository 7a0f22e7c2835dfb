"""Run as a script: tie a command to its parent's life, then become that command.

Started as `python -I -S lifeline.py <parent pid> <command> ...`, so it imports nothing of the service. A script instead
of `preexec_fn`, because code between fork and exec in a process with threads may deadlock.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def tie_to(parent: int) -> None:
    """Have the kernel kill this process when the thread that started it ends (Linux; elsewhere nothing is tied)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the signal was armed
        sys.exit("the parent process is gone")


if __name__ == "__main__":
    tie_to(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - the command line comes from mongod.py alone
