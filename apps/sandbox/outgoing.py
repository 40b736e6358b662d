"""One HTTP request to whoever wants to hear of something, and when the next follows."""

import time
from datetime import datetime

import requests
from django.db.models import Case, F, Model, Value, When

ATTEMPT_SECONDS = 5


def answer_of(method: str, address: str, **content: object) -> int | None:
    """The status of the answer, without its body and without following it elsewhere; None if late or missing."""
    began = time.monotonic()
    with requests.Session() as session:
        session.trust_env = False
        try:
            response = session.request(
                method, address, timeout=ATTEMPT_SECONDS, allow_redirects=False, stream=True, **content
            )
        except (requests.RequestException, ValueError):
            return None
        response.close()
    # A timeout counts from the last byte on, and an answer may drip.
    return response.status_code if time.monotonic() - began <= ATTEMPT_SECONDS else None


def unless_hurried(sent: Model, following: datetime) -> Case:
    """For the column `next_attempt_at` of what was sent: `following`, or the time that was set meanwhile."""
    untouched = When(next_attempt_at=sent.next_attempt_at, then=Value(following))
    return Case(untouched, default=F("next_attempt_at"))
