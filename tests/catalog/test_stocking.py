"""Changing stock: numbers, their ledger, their events, and who is owed the news."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.catalog import stocking
from apps.catalog.models import StockLevel, StockMovement
from apps.catalog.stocking import By, Change, Count, Outcome, Result
from apps.webhooks.models import Event
from tests.factories import make_integration, make_location, make_organization, make_product, make_publication

pytestmark = pytest.mark.django_db
BY = By("operator", "anna@foo-3pl.example")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_a_change_has_its_line_and_its_event():
    product = make_product(sku="HAT-1")
    location = make_location(organization=product.organization)
    by = By("order", "otter", reference="order-7", note="by hand")
    assert stocking.change(product.organization, [Change(product.pk, location.pk, on_hand=5)], by=by) == [
        Outcome(Result.APPLIED)
    ]
    level = StockLevel.objects.get()
    assert (level.on_hand, level.reserved, level.version) == (5, 0, 1)
    line = StockMovement.objects.get()
    assert (line.level_id, line.sequence, line.cause, line.on_hand_change, line.on_hand) == (level.pk, 1, "order", 5, 5)
    assert (line.reference, line.actor, line.note, line.is_count) == ("order-7", "otter", "by hand", False)
    event = Event.objects.get()
    assert (event.type, event.entity, event.entity_id, event.sequence) == (
        "stock.changed", "stock_level", str(level.pk), 1,
    )  # fmt: skip
    assert event.data == {
        "product_id": product.pk, "sku": "HAT-1", "location_id": str(location.pk), "in_stock": 5, "reserved": 0,
        "available": 5, "incoming": 0, "cause": "order", "change": 5,
    }  # fmt: skip
