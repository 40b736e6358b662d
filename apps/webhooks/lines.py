"""One endpoint while it is served: what is loaded of it, what is on its way, and what has to wait for what.

Messages about one entity form a lane: the next is sent when what became of the one before is on record. Lanes know
nothing of each other.
"""

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from .health import WIDEST
from .serving import LEASE_SECONDS, Behind, Claimed, Facts, Loaded, Wanted

ROOM = 200  # deliveries in memory, of one endpoint
SAFE_SECONDS = 17.0  # a lease that ends sooner might end before an answer comes
RETRIES_EVERY = 0.5  # seconds between two looks for what is to be tried again
LINGER_SECONDS = 15.0  # that an endpoint stays ours with nothing to be sent: to lease it anew takes ten times a message


@dataclass(slots=True)
class Line:
    """`after` is the id up to which its deliveries were loaded; `is_exhausted` when there were no more. What is told
    while a load is on its way (`has_news`, or that it `starts_over`) may not be in what it brings.

    `sending` counts what is on its way, `open` also whatever is not on record yet: what came back, and what is behind.
    """

    claimed: Claimed
    leased_at: float
    lanes: dict[str, deque[Loaded]] = field(default_factory=dict)
    ready: deque[Loaded] = field(default_factory=deque)
    known: set[int] = field(default_factory=set)
    after: int = 0
    is_exhausted: bool = False
    has_news: bool = True
    starts_over: bool = False
    is_closing: bool = False
    looked_at: float = 0.0
    idle_since: float = 0.0
    sending: int = 0
    open: int = 0

    @property
    def id(self) -> str:
        return self.claimed.id

    @property
    def facts(self) -> Facts:
        return self.claimed.facts

    @property
    def leased_until(self) -> float:
        """By time.monotonic(). Nothing is sent after it, whatever was begun before."""
        return self.leased_at + LEASE_SECONDS

    def wants(self, now: float) -> Wanted | None:
        """What to load of it."""
        room = ROOM - len(self.known)
        retries = room > 0 and bool(self.claimed.stalled) and now - self.looked_at >= RETRIES_EVERY
        is_hungry = not self.is_exhausted and room >= ROOM // 2
        if self.is_closing or self.claimed.health.is_shut or not (retries or is_hungry):
            return None
        if retries:
            self.looked_at = now
        self.has_news = self.starts_over = False
        return Wanted(self.id, self.claimed.fence, self.after, room, retries)

    def accept(self, loaded: Iterable[Loaded], *, room: int) -> list[Behind]:
        """Take these in. Returns those that stand behind one that waits for its next try."""
        behind, pending = [], 0
        for one in loaded:
            if not one.is_retry:
                pending += 1
                self.after = 0 if self.starts_over else max(self.after, one.id)
            if one.id in self.known:
                continue
            if one.lane in self.claimed.stalled and not one.is_retry:
                behind.append(self._behind(one))
            else:
                self._queue(one)
        self.is_exhausted = pending < room and not self.has_news
        self.open += len(behind)
        return behind

    def _queue(self, one: Loaded) -> None:
        self.known.add(one.id)
        if one.lane in self.lanes:
            self.lanes[one.lane].append(one)
        else:
            self.lanes[one.lane] = deque([one])
            self.ready.append(one)

    def take(self, now: float, *, most: int = WIDEST) -> Loaded | None:
        """What may be sent now, unless so many are on their way already."""
        window = min(self.claimed.health.window, most)
        if not self.ready or self.sending >= window or self.is_closing or not self.is_safe(now):
            return None
        self.sending += 1
        self.open += 1
        return self.ready.popleft()

    def is_safe(self, now: float) -> bool:
        """Whether nobody else can be serving it before an answer that is asked for now has come."""
        return now < self.leased_until - SAFE_SECONDS

    def move_on(self, one: Loaded) -> None:
        """It came to its end, and that is on record: the next of its lane may go."""
        self.open -= 1
        self.known.discard(one.id)
        lane = self.lanes.get(one.lane)
        if lane and lane[0] is one:
            lane.popleft()
            if lane:
                self.ready.append(lane[0])
            else:
                del self.lanes[one.lane]
        if one.lane in self.claimed.stalled:
            self.claimed.stalled.discard(one.lane)
            self.look_again()

    def stall(self, one: Loaded) -> list[Behind]:
        """It waits for its next try, and that is on record: its lane with it. Returns what is behind it."""
        self.open -= 1
        self.claimed.stalled.add(one.lane)
        lane = self.lanes.pop(one.lane, ())
        self.known.difference_update(other.id for other in (one, *lane))
        behind = [self._behind(other) for other in lane if other is not one]
        self.open += len(behind)
        return behind

    def _behind(self, one: Loaded) -> Behind:
        return Behind(one.id, self.id, self.claimed.fence)

    def hear(self, rung: int) -> None:
        """Something was added behind what is known of it; when it was rung for anything else, it is looked at anew."""
        self.is_exhausted, self.has_news = False, True
        if rung == self.claimed.rung + 1:
            self.claimed.rung = rung

    def look_again(self) -> None:
        """There may be more to be sent than was seen."""
        self.after, self.is_exhausted = 0, False
        self.has_news = self.starts_over = True

    def close(self) -> None:
        """Send nothing more. What was loaded and is not on its way stays what it is in the database."""
        self.is_closing = True
        self.ready.clear()

    def is_idle(self, now: float) -> bool:
        """Whether it can be given back: nothing is on its way, and nothing was to be sent for a while."""
        if self.open or (not self.is_closing and (self.ready or not self.is_exhausted)):
            self.idle_since = now
        return not self.open and (self.is_closing or now - self.idle_since >= LINGER_SECONDS)


def line_of(claimed: Claimed) -> Line:
    now = time.monotonic()
    return Line(claimed, leased_at=now, idle_since=now)
