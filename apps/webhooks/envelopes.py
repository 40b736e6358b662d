"""A delivery as it travels: its body, and the headers by which its receiver knows whom it is from."""

import re
from dataclasses import replace

from . import signing
from .catalogue import EVENTS, Happened, body_of
from .models import Endpoint
from .sending import Answer
from .serving import Facts, Loaded

ELIDED = "…"
SHORTEST = 4  # letters of what can be a secret at all
SIGNATURE = re.compile(r"(?:v1,)?[A-Za-z0-9+/]{43}=")


def body(one: Loaded) -> bytes:
    said = Happened(one.type, one.entity, one.entity_id, one.sequence, one.happened_at, one.data)
    return body_of(EVENTS[one.event], said)


def headers_of(facts: Facts, one: Loaded, *, body: bytes, now: float) -> dict[str, str]:
    """The signed ones, those that name event and shop, and its owner's own."""
    own = signed(facts, f"msg_{one.id}", event=one.event, shop=(one.shop, one.ext_shop), body=body, now=now)
    return facts.headers | own if facts.headers else own


def signed(
    facts: Facts, message: str, *, event: str, shop: tuple[str | None, str | None], body: bytes, now: float
) -> dict[str, str]:
    """As the endpoint's format has it."""
    shop_id, ext_shop_id = shop
    if facts.format == Endpoint.Format.PIO:
        return signing.pio(
            message,
            event=event,
            timestamp=int(now),
            shop_id=shop_id or "",
            ext_shop_id=ext_shop_id or "",
            body=body,
            secret=facts.pios_secret,
        )
    keys = [key for key, until in facts.keys if until is None or until > now]
    headers = signing.standard(message, timestamp=int(now), body=body, keys=keys)
    headers["X-Crossdock-Event"] = event
    if shop_id:
        headers["X-Crossdock-Shop-Id"], headers["X-Crossdock-Ext-Shop-Id"] = shop_id, ext_shop_id or ""
    return headers


def unsaid(answer: Answer, facts: Facts) -> Answer:
    """The answer without our signatures and its owner's headers: some receivers say back what they got."""
    return replace(
        answer,
        headers={name: _unsaid(value, facts) for name, value in answer.headers.items()},
        body=_unsaid(answer.body, facts),
    )


def _unsaid(text: str, facts: Facts) -> str:
    for value in facts.headers.values():
        text = text.replace(value, ELIDED) if len(value) >= SHORTEST else text
    return SIGNATURE.sub(ELIDED, text)
