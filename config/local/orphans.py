"""Ends the children of a run whose parent was killed outright; `guard.py` runs it beside the parent.

Reads `watch GROUP SIGNAL` and `forget GROUP` lines. When they end, so has the parent: the leader of every
group still watched gets its signal, and when all are gone, or after 5 seconds, the rest is killed. Then
the folders in the arguments are deleted. Imports nothing of the product, to start at once.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress

GRACE_SECONDS = 5


def main() -> None:
    watched = _read_until_the_parent_ends()
    for group, stop_signal in watched.items():
        _send(group, stop_signal, to=os.kill)
    end = time.monotonic() + GRACE_SECONDS
    while any(_send(group, 0, to=os.kill) for group in watched) and time.monotonic() < end:
        time.sleep(0.1)
    for group in watched:
        _send(group, signal.SIGKILL, to=os.killpg)
    for folder in sys.argv[1:]:
        shutil.rmtree(folder, ignore_errors=True)


def _read_until_the_parent_ends() -> dict[int, int]:
    watched = {}
    for line in sys.stdin:
        verb, group, *stop_signal = line.split()
        if verb == "watch":
            watched[int(group)] = int(stop_signal[0])
        else:
            watched.pop(int(group), None)
    return watched


def _send(group: int, number: int, *, to: Callable[[int, int], None]) -> bool:
    with suppress(ProcessLookupError):
        to(group, number)
        return True
    return False


if __name__ == "__main__":
    main()
