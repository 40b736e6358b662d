"""`Idempotency-Key`: a write that is sent again has its effect once, and gets the first answer again.

As draft-ietf-httpapi-idempotency-key-header-07: 409 while the first is at work, 422 when the key comes back with
another request. The answer is committed with the effect, so there is no moment when one is there without the other.
Only what succeeded is kept: an answer that says no was rolled back with its work, and the call may be tried again.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta

from django.db import connection, transaction
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from .errors import Problem
from .models import Answer
from .principals import Principal, address_of

KEPT = timedelta(days=7)
LONGEST = 255  # characters of a key


def once(request: Request, work: Callable[[], Response]) -> Response:
    """Do the work in one transaction, or give its former answer when the call's key is known.

    Raises Problem: malformed_request, idempotency_key_in_use, idempotency_key_reused; and what the work raises.
    """
    key = _key_of(request)
    with transaction.atomic():
        if key is None:
            return work()
        caller = _caller(request)
        _claim(caller, key)
        asked = fingerprint(request._request)
        if known := Answer.objects.filter(caller=caller, key=key, created_at__gt=timezone.now() - KEPT).first():
            return _again(known, asked)
        response = work()
        _keep(response, caller=caller, key=key, asked=asked)
        return response


def _key_of(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not is_good(key):
        raise Problem("malformed_request", f"Idempotency-Key takes 1 to {LONGEST} printable ASCII characters.")
    return key


def is_good(key: str) -> bool:
    return 0 < len(key) <= LONGEST and key.isascii() and key.isprintable()


def _caller(request: Request) -> str:
    """One application's shops are several callers: what one is told once is not the other's to hear."""
    principal = request.user
    if not isinstance(principal, Principal):
        return f"ip:{address_of(request)}"
    return f"{principal.usage_key} {principal.authorization.pk}" if principal.authorization else principal.usage_key


def _claim(caller: str, key: str) -> None:
    """Until the transaction ends this key is ours, in every process. Raises Problem idempotency_key_in_use."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [lock_of(caller, key)])
        if not cursor.fetchone()[0]:
            raise Problem("idempotency_key_in_use", headers={"Retry-After": "1"})


def lock_of(caller: str, key: str) -> int:
    """What PostgreSQL's advisory lock of this key is called."""
    digest = hashlib.sha256(f"{caller}\n{key}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


def fingerprint(request: HttpRequest) -> bytes:
    """What a call asks: two with the same one ask the same."""
    asked = f"{request.method}\n{request.get_full_path()}\n".encode()
    return hashlib.sha256(asked + request.body).digest()


def _again(known: Answer, asked: bytes) -> Response:
    if not known.matches(asked):
        raise Problem("idempotency_key_reused")
    return Response(known.body(), status=known.status, headers=known.headers | {"Idempotency-Replayed": "true"})


def _keep(response: Response, *, caller: str, key: str, asked: bytes) -> None:
    kept = {name: value for name, value in response.headers.items() if name == "Location"}
    Answer.objects.filter(caller=caller, key=key).delete()  # one that is older than KEPT
    answer = Answer(caller=caller, key=key, fingerprint=asked, status=response.status_code, headers=kept)
    answer.secrets = {"body": JSONRenderer().render(response.data).decode()}
    answer.save()


def forget_old_answers() -> int:
    return Answer.objects.filter(created_at__lt=Now() - KEPT).delete()[0]
