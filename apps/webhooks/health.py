"""How an endpoint is doing: when we stop asking it so often, when its owner is told, and when it is disabled.

Whoever serves it keeps this in memory, and writes it down with the results it follows from.
"""

from dataclasses import dataclass, field, replace

from django.conf import settings

from .models import Endpoint, Notice
from .outcomes import Verdict, jittered

Stage = Notice.Stage
STREAK = 5  # failures in a row, over at least STREAK_SECONDS, after which it is asked one message at a time
STREAK_SECONDS = 10.0
PROBES = (30, 60, 120, 300, 600, 1800)  # seconds from one such message to the next
HALF_WAY_SECONDS = 2.5 * 86_400
DISABLED_SECONDS = 5 * 86_400.0
HOURLY, LONGEST_PROBE = 3600.0, 6 * 3600.0  # between two probes of a disabled one; longer each time it came back
WIDEST = 10  # messages on their way to one endpoint at a time


@dataclass(slots=True)
class Health:
    """Times are seconds since 1970. `window` is how many messages may be on their way; `notices`, `has_turned` (its
    state or reason) and `is_changed` are what is still to be written down. Of one that is gone nothing changes any more
    by what was on its way: somebody has to resume it."""

    state: str
    reason: str
    failures: int
    failing_since: float | None
    probe_at: float | None
    resumes: int
    noticed: set[str] = field(default_factory=set)
    last_error: str = ""
    window: int = WIDEST
    notices: list[str] = field(default_factory=list)
    is_changed: bool = False
    has_turned: bool = False
    succeeded_at: float | None = None

    def __post_init__(self) -> None:
        if self.probe_at is not None:
            self.window = 1

    @property
    def is_shut(self) -> bool:
        """Whether nothing may be sent before `probe_at`."""
        return self.window == 0

    @property
    def is_gone(self) -> bool:
        return self.reason == Endpoint.Reason.GONE

    def takes(self, now: float) -> None:
        """A message arrived. What failed before is forgotten, and trust grows step by step."""
        if self.is_gone:
            return
        if self.failures or self.probe_at is not None or self.state != Endpoint.State.ACTIVE:
            self._recover()
        if self.succeeded_at is None or now - self.succeeded_at > 30:
            self.succeeded_at, self.is_changed = now, True
        self.window = min(max(self.window, 1) * 2, WIDEST)

    def _recover(self) -> None:
        if self.state == Endpoint.State.DISABLED:
            self._turn(Endpoint.State.ACTIVE, "")
            self.resumes += 1
            self._tell(Stage.RESUMED)
        self.failures, self.failing_since, self.probe_at = 0, None, None
        self.noticed.clear()
        self.is_changed = True

    def fails(self, now: float, *, verdict: Verdict, error: str) -> None:
        if self.is_gone:
            return
        self.failures += 1
        self.failing_since = now if self.failing_since is None else self.failing_since
        self.last_error, self.is_changed = error, True
        if verdict == Verdict.GONE:
            self._disable(Endpoint.Reason.GONE)
            return
        seconds = now - self.failing_since
        is_streak = self.failures >= STREAK and seconds >= streak_seconds()
        if is_streak or self.state == Endpoint.State.DISABLED:
            self._shut(now, seconds)

    def _shut(self, now: float, seconds: float) -> None:
        """One message at a time from now on, and seldom."""
        self._tell(Stage.STREAK)
        if seconds >= HALF_WAY_SECONDS:
            self._tell(Stage.HALF_WAY)
        if seconds >= DISABLED_SECONDS:
            self._disable(Endpoint.Reason.FAILING)
        self.probe_at = now + self._until_probe()
        self.window = 0

    def _until_probe(self) -> float:
        if self.state == Endpoint.State.DISABLED:
            return jittered(min(HOURLY * 2**self.resumes, LONGEST_PROBE))
        if settings.WEBHOOK_RETRY_SECONDS:
            return 1.0
        return jittered(PROBES[min(max(self.failures - STREAK, 0), len(PROBES) - 1)])

    def _disable(self, reason: str) -> None:
        """Of one that was disabled already, only that it is gone is news."""
        self.window = 0
        if self.state == Endpoint.State.ACTIVE or reason == Endpoint.Reason.GONE:
            self._turn(Endpoint.State.DISABLED, reason)
            self._tell(Stage.DISABLED)

    def _turn(self, state: str, reason: str) -> None:
        self.state, self.reason, self.has_turned = state, reason, True

    def written(self) -> "Health":
        """What is to be written down of it now; it counts as written."""
        told = replace(self, notices=list(self.notices))
        self.notices.clear()
        self.is_changed = self.has_turned = False
        return told

    def _tell(self, stage: str) -> None:
        """Once for each time it fails."""
        if stage not in self.noticed:
            self.noticed.add(stage)
            self.notices.append(stage)


def streak_seconds() -> float:
    return 1.0 if settings.WEBHOOK_RETRY_SECONDS else STREAK_SECONDS
