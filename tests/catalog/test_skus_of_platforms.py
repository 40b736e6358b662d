"""IN-04 on the other side: what a platform calls its things is stored byte for byte, and said back just so."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from apps.catalog.models import Listing, Product
from apps.integrations.connectors.base import Page, RemoteProduct, StockRow
from apps.integrations.connectors.otter import mapping as otter
from apps.integrations.connectors.pio import mapping as pio
from apps.integrations.connectors.vendure import mapping as vendure
from tests.factories import make_shop
from tests.integrations.connectors.vendure.conftest import recorded
from tests.skus import KEPT, REFUSED

from .goods import take_in

VARIANT = recorded("variants")["data"]["productVariants"]["items"][0]


def of_otter(skus: list[str]) -> Page[RemoteProduct]:
    items = [{"id": f"p{number}", "externalId": sku, "name": "Hat"} for number, sku in enumerate(skus)]
    return otter.products(_sent({"items": items}))


def of_vendure(skus: list[str]) -> Page[RemoteProduct]:
    variants = [VARIANT | {"id": f"p{number}", "sku": sku} for number, sku in enumerate(skus)]
    page = vendure.Variants(0, _sent(variants), total=len(skus), precision=2, counts_stock=True)
    return vendure.products(page)


def _sent(body: Any) -> Any:
    """As it arrives: by JSON."""
    return json.loads(json.dumps(body))


PLATFORMS = pytest.mark.parametrize("listed", [of_otter, of_vendure])
type Listed = Callable[[list[str]], Page[RemoteProduct]]


@PLATFORMS
def test_every_sku_of_a_platform_is_stored_as_it_was_sent(db, listed: Listed):
    page = listed(KEPT)
    assert ([item.sku for item in page.items], page.bad) == (KEPT, [])
    merged = take_in(make_shop(), *page.items)
    assert merged.created == len(KEPT)
    assert list(Listing.objects.order_by("id").values_list("sku", flat=True)) == KEPT
    assert set(Product.objects.values_list("sku", flat=True)) == set(KEPT)


@PLATFORMS
@pytest.mark.parametrize("sku", [sku for sku in REFUSED if sku])
def test_a_sku_that_cannot_be_stored_fails_alone(db, listed: Listed, sku: str):
    page = listed([sku, "HAT-1"])
    take_in(make_shop(), *page.items)
    assert list(Listing.objects.values_list("sku", flat=True)) == ["HAT-1"]


def test_otter_hears_the_skus_that_it_told():
    _, body = otter.availability([StockRow("p1", "", sku, 0) for sku in KEPT], is_there=True)
    assert _sent(body)["entityIds"] == KEPT


def test_pio_hears_and_tells_every_sku():
    bodies = [pio.product_body(RemoteProduct("p1", sku, "Hat", ext_variant_id=sku)) for sku in KEPT]
    assert [(body["sku"], body["ext_variant_id"]) for body in _sent(bodies)] == [(sku, sku) for sku in KEPT]
    page = pio.inventory(_sent({"data": [{"sku": sku, "in_stock": 1} for sku in KEPT], "next": None}))
    assert ([line.sku for line in page.items], page.bad) == (KEPT, [])
