"""What Vendure's own Admin API says against what the portal shows its owner."""

import csv
import io
from decimal import Decimal
from typing import Any

type Rows = dict[str, dict[str, Any]]  # by variant id


def at_vendure(variants: list[dict[str, Any]]) -> Rows:
    """Vendure keeps prices in hundredths, unless told otherwise; this one was not."""
    return {
        item["id"]: {
            "ext_product_id": item["productId"],
            "sku": item["sku"],
            "name": item["name"],
            "price": Decimal(item["price"]) / 100,
            "currency": item["currencyCode"],
            "quantity": item["stockOnHand"] - item["stockAllocated"],
            "image_src": (item["featuredAsset"] or item["product"]["featuredAsset"] or {"preview": ""})["preview"],
        }
        for item in variants
    }


def in_portal(file: str) -> Rows:
    """Reads the file of products that an owner can download."""
    return {
        row["ext_variant_id"]: {
            "ext_product_id": row["ext_product_id"],
            "sku": row["sku"],
            "name": row["name"],
            "price": Decimal(row["price"]),
            "currency": row["currency"],
            "quantity": int(row["quantity"]),
            "image_src": row["image_src"],
        }
        for row in csv.DictReader(io.StringIO(file))
    }


def differences(ours: Rows, theirs: Rows) -> dict[str, tuple[Any, Any]]:
    """The ids that do not say the same on both sides, with what each side says; None where it has nothing."""
    ids = sorted(ours.keys() | theirs.keys(), key=int)
    return {number: (ours.get(number), theirs.get(number)) for number in ids if ours.get(number) != theirs.get(number)}
