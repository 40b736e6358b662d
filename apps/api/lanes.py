"""Two lanes of one address: a quick one for the call that comes most, and the careful one for all others.

The quick lane answers a call that is right in every way, by prepared statements in one message; or it does nothing at
all, whatever the reason, and the careful lane looks at the call from the start, and says what is wrong.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import psycopg
from django.db import Error, OperationalError, connection
from django.http import HttpRequest, HttpResponse

from apps.prepared import Question, Row, ask_all

from .errors import plain_answer, problem_of

MOST_KNOWN = 10_000
HEADERS = {"Content-Language": "en", "Cache-Control": "no-store"}
# A statement that ended so has left nothing behind.
NOTHING_DONE = (
    psycopg.errors.DivisionByZero,
    psycopg.errors.UniqueViolation,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.InvalidSqlStatementName,  # a pooler in between gave us another connection
    psycopg.errors.DuplicatePreparedStatement,
)


class Known(dict[bytes, dict[str, Any]]):
    """What was learned of credentials, by their digests: what never changes, or what a statement asks for again."""

    def __setitem__(self, digest: bytes, facts: dict[str, Any]) -> None:
        if len(self) >= MOST_KNOWN:
            self.clear()
        super().__setitem__(digest, facts)


def quick_or_careful(quick: Callable[[HttpRequest], HttpResponse | None], careful: Callable[..., Any]) -> Any:
    """The view of an address whose POSTs are offered to `quick` first, which answers with None what it leaves alone."""

    @wraps(careful)
    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            # To give up inside a transaction would end what somebody else has begun.
            answer = None if request.method != "POST" or connection.in_atomic_block else quick(request)
        except OperationalError as error:
            return plain_answer(problem_of(error))
        return careful(request, *args, **kwargs) if answer is None else answer

    view.csrf_exempt = True  # type: ignore[attr-defined]
    return view


def is_plain(request: HttpRequest) -> bool:
    """Whether nothing about a call is out of the ordinary but, maybe, its credential and its body."""
    return (
        request.content_type == "application/json"
        and not request.GET
        and {"Transfer-Encoding", "Content-Encoding"}.isdisjoint(request.headers)
    )


def attempt(*questions: Question) -> list[list[Row]]:
    """The rows of statements that do all of their work, or of which one divides by zero; none when nothing was done.

    They are one message and one transaction. Raises OperationalError when nobody can say what was done: whoever asks
    again hears.
    """
    try:
        return ask_all(questions)
    except Error as error:
        if isinstance(error.__cause__, NOTHING_DONE):
            return [[] for _ in questions]
        if isinstance(error, OperationalError):
            connection.close()
        raise
