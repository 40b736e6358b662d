"""Is what the portal says it has, what the platform sells? Read from the outside, on both sides."""

import csv
import io
import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

KEPT = re.compile(r"((?:^|[;\t\r\n])[\s\"]*)'(?=[=+\-@＝＋－＠])|^'(?=[\t\r\n])")
Product = tuple[str, str, str, Decimal | None, str, int | None, str]


@dataclass(frozen=True)
class Comparison:
    """Numbers of products: at the platform, not in the portal, only in the portal, in both but not the same."""

    products: int
    missing: int
    unexpected: int
    different: int

    @property
    def is_equal(self) -> bool:
        return self.products > 0 and self.missing == self.unexpected == self.different == 0


def compare(portal_csv: str, sandbox_lines: str) -> Comparison:
    """The portal's products.csv with the sandbox's JSON lines, by Otter's id and field by field."""
    ours = {row["ext_product_id"]: _of_portal(row) for row in csv.DictReader(io.StringIO(portal_csv, newline=""))}
    theirs = {item["id"]: _of_otter(item) for item in map(json.loads, sandbox_lines.splitlines())}
    return Comparison(
        products=len(theirs),
        missing=len(theirs.keys() - ours.keys()),
        unexpected=len(ours.keys() - theirs.keys()),
        different=sum(ours[key] != theirs[key] for key in ours.keys() & theirs.keys()),
    )


def _of_portal(row: dict[str, str]) -> Product:
    return (
        _cell(row["sku"]),
        _cell(row["name"]),
        row["barcodes"],
        Decimal(row["price"]) if row["price"] else None,
        row["currency"],
        int(row["quantity"]) if row["quantity"] else None,
        row["image_src"],
    )


def _of_otter(item: dict[str, Any]) -> Product:
    price = item.get("price") or {}
    return (
        item.get("externalId") or item["id"],
        item["name"],
        item.get("gtin") or "",
        Decimal(str(price["amount"])) if price else None,
        price.get("currencyCode", ""),
        item.get("sellableQuantity"),
        item.get("imageUrl") or "",
    )


def _cell(text: str) -> str:
    """Without the apostrophes that keep a spreadsheet from running a cell."""
    return KEPT.sub(r"\1", text)
