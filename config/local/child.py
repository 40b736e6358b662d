"""One child process of a local run, in a process group of its own."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from config.local.unprivileged import identity


class ChildFailed(Exception):
    """A child could not be brought up. The message is one sentence for the person who started it."""


@dataclass(kw_only=True)
class Child:
    """`command`, writing to `log`; as `user` (a number, needs root); `ready` says whether it serves."""

    name: str
    command: list[str]
    log: Path
    env: dict[str, str] | None = None
    user: int | None = None
    cwd: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    output: Path | None = None  # where its standard output goes, when not into the log
    ready: Callable[[], bool] = lambda: True
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    def start(self) -> None:
        with self.log.open("ab") as log, (self.output or self.log).open("ab") as output:
            self.process = subprocess.Popen(  # noqa: S603
                self.command,
                env=self.env,
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                start_new_session=True,
                **identity(self.user),
            )

    def running(self) -> bool:
        """Looks without reaping: while the leader is a zombie its group number cannot be anyone else's."""
        if self.process is None or self.process.returncode is not None:
            return False
        return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def ask_to_stop(self) -> None:
        if self.process and self.running():
            os.kill(self.process.pid, self.stop_signal)  # Popen's own way would reap it

    def bury(self) -> int | None:
        """Kills the rest of the group (a killed worker leaves its pool behind); the leader's exit status."""
        if self.process is None or self.process.returncode is not None:
            return None
        group = self.process.pid
        _kill_group(group)
        status = self.process.wait()
        wait_until(lambda: not _kill_group(group), within=0.2)
        return status

    def wait_until_ready(self, *, within: float = 30, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Raises ChildFailed when it dies first, or does not serve within so many seconds."""
        wait_until(lambda: self.ready() or not self.running(), within=within, meanwhile=meanwhile)
        if not self.running() or not self.ready():
            raise ChildFailed(f"{self.name} did not start; the end of {self.log}:\n{tail(self.log)}")

    def wait_until_ended(self, *, within: float = 600, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Raises ChildFailed when it still runs after so many seconds."""
        if not wait_until(lambda: not self.running(), within=within, meanwhile=meanwhile):
            raise ChildFailed(f"{self.name} takes longer than {within:.0f} seconds; see {self.log}.")


def _kill_group(group: int) -> bool:
    """Whether anyone was left in it."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
        return True
    return False


def wait_until(condition: Callable[[], object], *, within: float, meanwhile: Callable[[], None] = lambda: None) -> bool:
    """Whether the condition came true within so many seconds; asked every 20 ms, as is `meanwhile`."""
    end = time.monotonic() + within
    while not condition():
        meanwhile()
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def tail(path: Path, *, lines: int = 15) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
