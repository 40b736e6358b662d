"""Codes and refresh tokens are good once. Who comes second is either a race's loser or a thief, and is told apart.

What holds, for a code and a refresh token alike:

- Exactly one call wins, however many come at once: the row is locked before anything is decided.
- Whoever finds it *spent already when they come* replays it. Then we cannot know who the thief is, the first or the
  second, and end the whole authorization with all its tokens (RFC 9700 4.14.2, ASVS 10.4.2 and 10.4.5).
- Whoever finds it unspent, waits for the lock and only then sees it spent has lost a race: a client that sent its call
  twice. They get invalid_grant and the winner keeps what it got. That costs no safety: a thief who wins such a race is
  found out as soon as the client tries its token again, which is a replay.
"""

from typing import Any

from django.db import models
from django.utils import timezone

from apps.audit.trail import Actor, record

from ..models import Application, Authorization, Grant, RefreshToken
from .issuing import digest, is_fresh


def spend_code(code: str, *, by: Application) -> Grant | None:
    """Use up the code. None when it was not good for this application at this moment.

    The first application that presents it burns it, be it the wrong one (AS-04) or with the wrong verifier.
    Call it in a transaction: the row stays locked to its end.
    """
    grant = _claim(Grant, Grant.objects.filter(code=digest(code)), spent="used_at", by=by)
    if grant is None:
        return None
    Grant.objects.filter(pk=grant.pk).update(used_at=timezone.now())
    return grant if grant.application_id == by.pk and not grant.is_expired() and _is_alive(grant) else None


def claim_refresh_token(token: str, *, by: Application) -> RefreshToken | None:
    """Lock the token for being exchanged. None when it is not good for this application at this moment.

    It is spent by `issuing.retire`, in the same transaction.
    """
    mine = RefreshToken.objects.filter(token_checksum=digest(token), application=by)
    found = _claim(RefreshToken, mine, spent="revoked", by=by)
    return found if found and is_fresh(found) and _is_alive(found) else None


def _is_alive(row: Grant | RefreshToken) -> bool:
    return row.authorization.is_in_force


def _claim[Row: (Grant, RefreshToken)](
    kind: type[Row], rows: models.QuerySet[Row], *, spent: str, by: Application
) -> Row | None:
    """Lock the one row, unless it is spent. When it was so before we came, its authorization ends."""
    seen = rows.select_related("authorization").first()
    if seen is None:
        return None
    if getattr(seen, spent):
        _end(seen.authorization, by=by, what=kind._meta.model_name or "")
        return None
    related = [f"authorization__{name}" for name in ("organization", "shop", "user__membership__organization")]
    locked = kind._default_manager.select_for_update(of=("self", "authorization"), no_key=True)
    row: Any = locked.select_related(*related).get(pk=seen.pk)
    return None if getattr(row, spent) else row


def _end(authorization: Authorization, *, by: Application, what: str) -> None:
    reason = f"{what} used twice"
    ended = Authorization.objects.filter(pk=authorization.pk).revoke(reason)
    actor = Actor(text=str(by.connector))
    record(actor, "token.replay", on=authorization, after={"ended": bool(ended)}, refused=True, reason=reason)
