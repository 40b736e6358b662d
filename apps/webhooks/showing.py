"""What was sent and what came, as people read it; whatever is secret is left out."""

import contextlib
import json
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from apps.shops.models import Shop

from . import catalogue
from .catalogue import EVENTS, Happened
from .envelopes import ELIDED, signed
from .models import Attempt, Delivery, Endpoint
from .serving import Facts, facts_of

MOST = 20_000  # letters of a body
SIGNED = ("signature", "hmac", "authorization", "token", "secret", "cookie", "api-key")


def pretty(document: Any) -> str:
    """A JSON document on as many lines as it has things."""
    return json.dumps(document, indent=2, ensure_ascii=False)


def legible(body: bytes | str) -> str:
    """The beginning of a body: JSON well set, anything else as it is."""
    text = body if isinstance(body, str) else body.decode("utf-8", "replace")
    with contextlib.suppress(ValueError, RecursionError):
        text = pretty(json.loads(text)) if text[:1] in {"{", "["} else text
    return text if len(text) <= MOST else text[:MOST] + ELIDED


def without_secrets(headers: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Signatures, tokens and the like by their names only."""
    return [(name, ELIDED if _is_secret(name) else str(value)) for name, value in headers.items()]


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in SIGNED)


def body_of(delivery: Delivery) -> bytes:
    """What is sent. Empty for an event that is not published any more."""
    event = delivery.event
    if (published := EVENTS.get(delivery.hook.event)) is None:
        return b""
    data = json.dumps(event.data or {}, ensure_ascii=False)
    happened = Happened(event.type, event.entity, event.entity_id, event.sequence, event.created_at, data)
    return catalogue.body_of(published, happened)


def headers_of(delivery: Delivery, attempt: Attempt | None, *, body: bytes) -> list[tuple[str, str]]:
    """Those of one try. Its signature, and the values of its owner's own headers, are left out."""
    return headers_of_each(delivery, [attempt], body=body)[0]


def headers_of_each(
    delivery: Delivery, attempts: Iterable[Attempt | None], *, body: bytes
) -> list[list[tuple[str, str]]]:
    """The same of several tries."""
    facts, shop = _facts(delivery.endpoint), _shop_of(delivery)
    return [_headers(delivery, one, facts=facts, shop=shop, body=body) for one in attempts]


def _facts(endpoint: Endpoint) -> Facts:
    """Without its owner's own headers where these cannot be opened; what signs is not shown anyway."""
    found = facts_of([endpoint.pk]).get(str(endpoint.pk))
    return found or Facts(endpoint.url, endpoint.format, (), {}, "", endpoint.updated_at)


def _shop_of(delivery: Delivery) -> tuple[str | None, str | None]:
    """The id and ext_shop_id of the one that is named in its headers: its hook's, or else the one its event is of."""
    shop = delivery.endpoint.shop
    if shop is None and (of_event := (delivery.event.data or {}).get("shop_id")):
        shop = Shop.objects.filter(organization=delivery.organization_id, pk=of_event).first()
    return (str(shop.pk), shop.ext_shop_id) if shop else (None, None)


def _headers(
    delivery: Delivery, attempt: Attempt | None, *, facts: Facts, shop: tuple[str | None, str | None], body: bytes
) -> list[tuple[str, str]]:
    moment = (attempt.started_at if attempt else delivery.created_at).timestamp()
    ours = signed(facts, delivery.message_id, event=delivery.hook.event, shop=shop, body=body, now=moment)
    own = [(name, ELIDED) for name in facts.headers]
    return [("Content-Type", "application/json"), *without_secrets(ours), *own]


def as_curl(url: str, *, headers: list[tuple[str, str]], body: bytes) -> str:
    """The same for a command line, to be tried by hand: without the secrets, which whoever tries it has to fill in."""
    named = [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers]
    sent = shlex.quote(body.decode("utf-8", "replace"))
    return " \\\n  ".join([f"curl -X POST {shlex.quote(url)}", *named, f"--data-raw {sent}"])
