"""The vendor's rate limits, off until switched on: its guide publishes the numbers, and no Retry-After.

Per address 20 calls a second with a token and 3 a minute without; per endpoint, store and application
the endpoint's own number a minute. The counts live in memory: a restart forgives.
"""

import time
from collections import defaultdict, deque
from threading import Lock

from django.http import HttpRequest

from apps.sandbox.errors import Refused
from apps.sandbox.models import Switches

CALLS: defaultdict[tuple, deque[float]] = defaultdict(deque)
LOCK = Lock()


def count(request: HttpRequest, *, endpoint: str, per_minute: int) -> None:
    """Count the call. Raises Refused (429) when it is one too many."""
    if not Switches.current().rate_limits:
        return
    address = request.META["REMOTE_ADDR"]
    if request.token is None:
        fits = within(("anonymous", address), calls=3, seconds=60)
    else:
        key = (endpoint, request.path, request.headers.get("X-Store-Id"), request.token.application_id)
        fits = within(("known", address), calls=20, seconds=1) and within(key, calls=per_minute, seconds=60)
    if not fits:
        raise Refused(429, "Too many requests")


def within(key: tuple, *, calls: int, seconds: int) -> bool:
    """Whether one more call under this key keeps to `calls` in any `seconds`; if so it is counted."""
    now = time.monotonic()
    with LOCK:
        seen = CALLS[key]
        while seen and seen[0] <= now - seconds:
            seen.popleft()
        if len(seen) >= calls:
            return False
        seen.append(now)
        return True


def forgive() -> None:
    """Forget every count."""
    with LOCK:
        CALLS.clear()
