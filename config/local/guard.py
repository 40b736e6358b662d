"""Starting and stopping children so that none outlives this process, even when it is killed outright."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.local.child import Child, wait_until

ORPHANS = Path(__file__).with_name("orphans.py")


class Guard:
    """A context manager with a small process beside us, which learns of our end from a closed pipe.

    `holding` are file descriptors it keeps open until all is over: the lock of a run, for example. `deleting` is a
    folder that it deletes then.
    """

    def __init__(self, *, holding: tuple[int, ...] = (), deleting: Path | None = None) -> None:
        self.holding = holding
        self.deleting = [deleting] if deleting else []

    def __enter__(self) -> "Guard":
        end_to_read, self.pipe = os.pipe()
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", ORPHANS, *self.deleting],
            stdin=end_to_read,
            pass_fds=self.holding,
            start_new_session=True,
            cwd="/",
        )
        os.close(end_to_read)
        return self

    def __exit__(self, *failure: object) -> None:
        os.close(self.pipe)
        self.process.wait()

    @contextmanager
    def running(self, child: Child) -> Iterator[None]:
        """Starts the child, waits until it serves, and stops it at the end of the block."""
        self.start(child)
        try:
            child.wait_until_ready()
            yield
        finally:
            self.stop(child)

    def start(self, child: Child) -> None:
        child.start()
        self._tell(f"watch {child.pid} {child.stop_signal.value}\n")

    def stop(self, child: Child, *, within: float = 10) -> None:
        """Asks it, waits so many seconds, then kills whatever is left of its group."""
        child.ask_to_stop()
        wait_until(lambda: not child.running(), within=within)
        self.bury(child)

    def bury(self, child: Child) -> int | None:
        """Forgets the child and kills its group; the exit status of its leader."""
        status = child.bury()
        self._tell(f"forget {child.pid}\n")
        return status

    def _tell(self, line: str) -> None:
        os.write(self.pipe, line.encode())
