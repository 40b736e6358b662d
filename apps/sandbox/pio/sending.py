"""One signed HTTP request to a hook's address (contracts 1.8, headers version 1)."""

import base64
import hmac

from django.utils import timezone

from apps.sandbox.faults import take_for_delivery
from apps.sandbox.outgoing import answer_of
from apps.sandbox.pio.models import Delivery


def signature(
    secret: str, *, event_type: str, delivery_id: str, timestamp: str, shop_id: str, ext_shop_id: str, body: bytes
) -> str:
    """Base64 of the HMAC-SHA256 over the five names and the raw body, joined by colons."""
    names = ":".join([event_type, delivery_id, timestamp, shop_id, ext_shop_id])
    signed = hmac.digest(secret.encode(), f"{names}:".encode() + body, "sha256")
    return base64.b64encode(signed).decode()


def send(delivery: Delivery) -> int | None:
    """The status that one attempt was answered with, or None if there was no answer within 5 s.

    Each attempt is signed anew, with the time it is made at.
    """
    body = delivery.body.encode()
    return answer_of("POST", delivery.hook.target_url, data=body, headers=headers_of(delivery, body=body))


def headers_of(delivery: Delivery, *, body: bytes) -> dict[str, str]:
    """The six headers, and those of any request."""
    shop = delivery.hook.shop
    signed = {
        "event_type": delivery.hook.event_type,
        "delivery_id": delivery.pk,
        "timestamp": str(int(timezone.now().timestamp())),
        "shop_id": str(shop.pk),
        "ext_shop_id": shop.ext_shop_id,
    }
    secret = shop.integration.client_secret
    if take_for_delivery(delivery.hook.event_type, "hook_wrong_signature"):
        secret = "of somebody else"  # noqa: S105
    return {
        "Content-Type": "application/json",
        "User-Agent": "Pio (simulated)",
        "X-Pio-Hmac-Sha256": signature(secret, **signed, body=body),
        "X-Pio-Event-Type": signed["event_type"],
        "X-Pio-Delivery-Id": signed["delivery_id"],
        "X-Pio-Timestamp": signed["timestamp"],
        "X-Pio-Shop-Id": signed["shop_id"],
        "X-Pio-Ext-Shop-Id": signed["ext_shop_id"],
    }


def answers(address: str) -> bool:
    """Whether anything at all answers at the address, whatever it says."""
    return answer_of("HEAD", address) is not None
