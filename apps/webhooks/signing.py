"""How our messages are signed: as Standard Webhooks says, or as Pio does (contracts 1.8, behaviours 83 and 84)."""

import base64
import binascii
import hmac
import secrets
from collections.abc import Sequence

PREFIX = "whsec_"


def new_key() -> str:
    """A secret for a receiver, as it is shown to its owner once: 32 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def key_bytes(key: str) -> bytes:
    """What is signed with. Raises ValueError for a text that is no such secret."""
    try:
        return base64.b64decode(key.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error


def standard(message_id: str, *, timestamp: int, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """The three headers of Standard Webhooks 1.0, with a signature of each key, the newest first."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    signatures = ("v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def pio(
    message_id: str, *, event: str, timestamp: int, shop_id: str, ext_shop_id: str, body: bytes, secret: str
) -> dict[str, str]:
    """Pio's six headers, version 1. `secret` is the client secret of the integration's application."""
    named = ":".join([event, message_id, str(timestamp), shop_id, ext_shop_id])
    signature = hmac.digest(secret.encode(), f"{named}:".encode() + body, "sha256")
    return {
        "X-Pio-Hmac-Sha256": base64.b64encode(signature).decode(),
        "X-Pio-Delivery-Id": message_id,
        "X-Pio-Event-Type": event,
        "X-Pio-Shop-Id": shop_id,
        "X-Pio-Ext-Shop-Id": ext_shop_id,
        "X-Pio-Timestamp": str(timestamp),
    }
