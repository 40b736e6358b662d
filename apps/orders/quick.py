"""The quick lane for new orders: one statement asks who calls, counts the call and stores all of it, or nothing.

What it does is what `orders_api.create_order` does, and `tests/orders/test_quick.py` compares the rows and the answers
of both. It serves the call that comes most: a shop's own token, JSON that is right, an order that is new. Anything else
it leaves alone, whatever the reason: the careful lane looks at it from the start, and says what is wrong.
"""

import hashlib
import json
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

import structlog
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils import timezone
from pydantic import ValidationError

from apps.api import bodies, idempotency, lanes, limits, tokens
from apps.api.errors import Problem
from apps.api.models import Answer
from apps.api.principals import address_of
from apps.integrations.connectors.orders import RemoteOrder
from apps.integrations.models import AccessToken
from apps.prepared import Statement

from . import intake
from .ids import time_ordered_id
from .models import Order
from .order_bodies import NewOrder, as_remote
from .ringing import ring

type Facts = dict[str, Any]  # of a token: the ids of what it is of, and how long orders are held

_known = lanes.Known()


def take(request: HttpRequest) -> HttpResponse | None:
    """The answer to a call that is right in every way; None for any other, of which nothing was done."""
    facts = _facts(request)
    order = _order(request) if facts else None
    return _store(request, facts, order) if facts and order else None


def _facts(request: HttpRequest) -> Facts | None:
    """What the call's token is of, if it is a shop's own. Whether it still is good, the statement asks."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    is_plain = lanes.is_plain(request) and {"X-Api-Key", "X-Pipe17-Key"}.isdisjoint(request.headers)
    if not is_plain or scheme != "Bearer" or tokens.kind_of(token) != tokens.ACCESS or not tokens.is_wellformed(token):
        return None
    digest = hashlib.sha256(token.encode()).digest()
    if digest not in _known:
        _learn(digest)
    return _known.get(digest)


def _learn(digest: bytes) -> None:
    """These never change while the token is good, but for the hold: the statement compares that one."""
    paths = {
        "authorization": "authorization",
        "organization": "authorization__organization",
        "integration": "authorization__integration",
        "shop": "authorization__shop",
        "hold": "authorization__integration__order_hold_seconds",
    }
    named = AccessToken.objects.filter(token_checksum=digest.hex(), authorization__shop__isnull=False)
    row = named.values_list("token_checksum", *paths.values()).first()
    if row:
        found = dict(zip(("checksum", *paths), row, strict=True))
        usage = f"integration:{found['integration']}"
        keys = {"shop_key": f"shop:{found['shop']}", "usage_key": usage, "caller": f"{usage} {found['authorization']}"}
        _known[digest] = found | keys


def _order(request: HttpRequest) -> RemoteOrder | None:
    try:
        return as_remote(NewOrder.model_validate(bodies.read(request.body)))
    except (Problem, ValidationError, RequestDataTooBig, UnreadablePostError):
        return None


def _store(request: HttpRequest, facts: Facts, order: RemoteOrder) -> HttpResponse | None:
    """Raises OperationalError when nobody can say whether it is stored: whoever asks again hears."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not idempotency.is_good(key):
        return None
    pk, now = time_ordered_id(), timezone.now()
    number = order.number or order.ext_order_id
    body = _body(order, pk=pk, number=number)
    names = facts | {
        "rows": json.dumps([intake.row(order, pk=pk, source=Order.Source.API)], default=str),
        "source": Order.Source.API,
        "release_at": now + timedelta(seconds=facts["hold"]),
        "now": now,
        "order": str(pk),
        "number": number,
        "address": address_of(request),
        "request_id": structlog.contextvars.get_contextvars().get("request_id", ""),
    }
    names |= limits.parameters_of({facts["shop_key"]: limits.CALLS_OF_A_SHOP, facts["usage_key"]: limits.CALLS})
    if key is not None:
        names |= _answer(request, facts, key=key, body=body)
    [stored] = lanes.attempt((_statement(answered=key is not None), names))
    if not stored:
        return None
    ring()
    left = limits.Left(limits.CALLS_OF_A_SHOP, stored[0][0], is_over=False)
    return HttpResponse(body, content_type="application/json", headers=HEADERS | left.headers)


def _body(order: RemoteOrder, *, pk: UUID, number: str) -> str:
    """As `order_bodies.OrderTaken` has it."""
    named = {name: getattr(order, name) for name in ("ext_order_id", "ext_fulfillment_order_id")}
    said = {"id": str(pk)} | named | {"number": number, "state": Order.State.NEW}
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False)


HEADERS = lanes.HEADERS | {"Allow": "GET, HEAD, POST"}


def _answer(request: HttpRequest, facts: Facts, *, key: str, body: str) -> dict[str, Any]:
    """What is kept for whoever asks again with the same key."""
    answer = Answer(caller=facts["caller"], key=key)
    answer.secrets = {"body": body}
    return {
        "answer": answer.pk,
        "key": key,
        "fingerprint": idempotency.fingerprint(request),
        "sealed": answer.sealed,
        "lock": idempotency.lock_of(facts["caller"], key),
    }


@cache
def _statement(*, answered: bool) -> Statement:
    parts = [CALLER.format(alone=ALONE if answered else ""), limits.spending(2, condition="FROM caller"), ALLOWED]
    if answered:
        parts.append(ANSWERED)
    allowed = f"WHERE EXISTS (SELECT FROM {'answered' if answered else 'allowed'})"
    parts += [intake.STORING.format(allowed=allowed), AUDITED]
    return Statement.of(f"WITH {', '.join(parts)} {RESULT}")


# Who calls, if all of it still holds (`principals`, `policy`), and nobody else is at work with the same key.
CALLER = """
caller AS MATERIALIZED (
    SELECT integration.name || ', for ' || shop.name AS text
    FROM integrations_accesstoken token
    JOIN integrations_authorization consent ON consent.id = token.authorization_id
    JOIN integrations_integration integration ON integration.id = consent.integration_id
    JOIN integrations_partnerconnector partner ON partner.id = integration.partner_id
    JOIN accounts_organization organization ON organization.id = consent.organization_id
    JOIN shops_shop shop ON shop.authorization_id = consent.id
    WHERE token.token_checksum = %(checksum)s AND token.expires > now()
      AND consent.revoked_at IS NULL AND consent.is_lasting
      AND ' ' || token.scope || ' ' LIKE '%% orders:write %%' AND integration.grants ? 'orders:write'
      AND integration.state <> 'disabled' AND integration.order_hold_seconds = %(hold)s
      AND partner.deactivated_at IS NULL AND organization.is_active AND shop.is_active
      {alone}
)"""
ALONE = "AND pg_try_advisory_xact_lock(%(lock)s::bigint)"
ALLOWED = "allowed AS MATERIALIZED (SELECT level FROM bucket1 WHERE NOT is_over)"
ANSWERED = """
answered AS (
    INSERT INTO api_answer (id, caller, key, fingerprint, status, headers, sealed, created_at)
    SELECT %(answer)s, %(caller)s, %(key)s, %(fingerprint)s, 200, '{}', %(sealed)s, %(now)s FROM allowed
    ON CONFLICT DO NOTHING
    RETURNING id
)"""
AUDITED = """
audited AS (
    INSERT INTO audit_entry (
        at, organization_id, integration_id, user_id, actor, action, outcome, target_kind, target_id, target, before,
        after, reason, address, request_id
    )
    SELECT %(now)s, %(organization)s, %(integration)s, NULL, left(caller.text, 300), 'order.create', 'done', 'order',
           %(order)s, left(%(number)s, 300), '{}', '{}', '', %(address)s::inet, %(request_id)s
    FROM made, caller
)"""
# Division by nothing: what is not stored takes the rest of the statement with it.
RESULT = "SELECT level / (SELECT count(*) FROM made) FROM bucket0"
