"""What happened, in Pio's words (contracts 1.6 to 1.8). Pure functions of what our own message says.

The fields are a gap in Pio's documents: these are those that our own connector reads. Stock is told per place.
"""

import json
from collections.abc import Mapping
from typing import Any

type Data = Mapping[str, Any]

STATES = {
    "ready": "open",
    "sent": "open",
    "picking": "picking",
    "shipped": "fulfilled",
    "partly_shipped": "partly_fulfilled",
    "rejected": "rejected",
    "cancelled": "cancelled",
}
OPEN = ("ready", "sent", "picking")  # of ours: those that are not final


def body(name: str, *, entity_id: str, sequence: int, moment: str, data: str) -> str:
    """The whole message. Whatever `data` lacks is left empty: nobody waits for an answer here."""
    words = _stock if name.startswith("inventory") else _fulfillment
    told = words(json.loads(data) or {}, entity_id=entity_id, sequence=sequence, moment=moment)
    return json.dumps({"event_type": name} | told, ensure_ascii=False)


def _stock(data: Data, *, entity_id: str, sequence: int, moment: str) -> dict[str, Any]:
    numbers = {name: data.get(name, 0) for name in ("in_stock", "reserved", "available", "change")}
    return {
        "product": {"id": data.get("product_id"), "sku": data.get("sku", ""), "name": data.get("name", "")},
        **numbers,
        "reason": data.get("cause", ""),
        "storage": {"kind": data.get("location_kind", ""), "name": data.get("location_name", "")},
        "location_id": data.get("location_id", ""),
        "version": sequence,
        "occurred_at": moment,
    }


def _fulfillment(data: Data, *, entity_id: str, sequence: int, moment: str) -> dict[str, Any]:
    parcels, state = data.get("parcels", ()), data.get("state", "")
    has_begun = bool(parcels) and state in OPEN
    named = ("order_id", "ext_order_id", "ext_fulfillment_order_id")
    return {
        "id": entity_id,
        **{name: data.get(name, "") for name in named},
        "state": "partly_fulfilled" if has_begun else STATES.get(state, state),
        "closed": state not in OPEN,
        "reason": data.get("reason", ""),
        "version": sequence,
        "created_at": data.get("created_at"),
        "updated_at": moment,
        "lines": [_line(line) | {"sent": line["shipped"]} for line in data.get("lines", ())],
        "parcels": [_parcel(parcel) for parcel in parcels],
    }


def _line(line: Data) -> dict[str, Any]:
    return {"sku": line["sku"], "ext_order_line_item_id": line["ext_line_id"], "quantity": line["quantity"]}


def _parcel(parcel: Data) -> dict[str, Any]:
    return {
        "id": parcel["id"],
        "carrier": parcel["carrier"],
        "number": parcel["tracking_number"],
        "url": parcel["tracking_url"],
        "shipped_at": parcel["shipped_at"],
        "lines": [_line(line) for line in parcel["lines"]],
    }
