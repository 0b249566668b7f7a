"""Start a node that dies with the lab: ``python -m orchestrator.tether PID MODULE ARGS...``.

A lab that is killed can undo nothing, and a node that it paused could not even
notice that its parent is gone. So the kernel is asked to do it: the process
gets a SIGKILL when the thread that started it ends, stopped or not. That is
why local nodes are started from the lab's main thread only.

Where the kernel has no such service (it is Linux's own) a thread looks after
the parent; that catches all but a node which is paused at that moment.
"""

import ctypes
import os
import runpy
import signal
import sys
import threading
import time
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_LOOK_EVERY_S: Final = 0.5


def tie_to(parent: int) -> None:
    """End this process when ``parent`` (its process id) ends."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            sys.exit(f"prctl failed: {os.strerror(ctypes.get_errno())}")
    else:
        threading.Thread(target=_look_after, args=(parent,), daemon=True).start()
    # The parent may have ended before the kernel was asked.
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def _look_after(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY_S)
    os._exit(137)


if __name__ == "__main__":
    tie_to(int(sys.argv[1]))
    # The lab prints with rich, and a node's logger would load it because it is
    # there. A node's image has none: so it starts here as it does there, and sooner.
    sys.modules["rich"] = None  # type: ignore[assignment]
    # `python -m node` puts the working directory first on the path; keep that.
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
