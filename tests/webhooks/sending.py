"""A warehouse's webhooks, as Pio signs them (contracts 1.8). Written from the contract, not from our code."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from itertools import count
from typing import Any

from django.test import Client

from apps.shops.models import Connection

SECRET = "pio-test-secret"
number = count(1)


@dataclass(frozen=True)
class Message:
    """One delivery, ready to be sent, again and again."""

    path: str
    headers: dict[str, str]
    body: bytes

    def send(self, client: Client | None = None, **changes: Any) -> Any:
        """Post it; `body` or `content_type` differ when given, a header with None is left out."""
        body = changes.pop("body", self.body)
        content_type = changes.pop("content_type", "application/json")
        headers = {name: value for name, value in (self.headers | changes).items() if value is not None}
        return (client or Client()).post(self.path, body, content_type=content_type, headers=headers)


def stock_of(sku: str, in_stock: int, **fields: Any) -> dict[str, Any]:
    """What a warehouse tells of a SKU's stock."""
    product = {"id": 501, "sku": sku, "ext_product_id": "12", "ext_variant_id": "", "name": "Top hat"}
    return {"product": product, "in_stock": in_stock, "reserved": 0, "available": in_stock, "change": 1} | fields


def message(
    warehouse: Connection,
    told: Any,
    *,
    event: str = "inventory_levels.update",
    secret: str = SECRET,
    delivery: str = "",
    at: float | None = None,
    shop: str | None = None,
) -> Message:
    """A delivery to this warehouse's inbox; `told` is bytes, or what becomes JSON."""
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    headers = {
        "X-Pio-Event-Type": event,
        "X-Pio-Delivery-Id": delivery or f"delivery-{next(number)}",
        "X-Pio-Timestamp": str(int(at or time.time())),
        "X-Pio-Shop-Id": "7",
        "X-Pio-Ext-Shop-Id": warehouse.ext_shop_id if shop is None else shop,
    }
    signed = b":".join([*(value.encode() for value in headers.values()), body])
    signature = base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
    path = f"/receive/{warehouse.integration.inbox.token}"
    return Message(path, headers | {"X-Pio-Hmac-Sha256": signature}, body)
