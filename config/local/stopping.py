"""The wish of the person, the terminal or the machine that this program ends."""

import signal

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Stopped(Exception):
    """Raised where the program asks, never in the middle of a step: a child just born would be forgotten."""


class StopSignals:
    """Install before anything is started; a second signal changes nothing, stopping is under way."""

    def __init__(self) -> None:
        self.received = False
        for number in SIGNALS:
            signal.signal(number, self._receive)

    def check(self) -> None:
        if self.received:
            raise Stopped

    def _receive(self, number: int, frame: object) -> None:
        self.received = True
