"""What custom integrations send: taken in as our API takes it, by an integration that may."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from apps.audit.models import Entry
from apps.catalog.models import StockLevel, StockMovement
from apps.integrations.models import Integration
from apps.orders.models import Order
from apps.shops.models import Shop
from apps.syncs import opening
from apps.webhooks import receiving
from apps.webhooks.models import Event, Receipt
from tests.concurrency import at_once
from tests.factories import make_custom_integration, make_location, make_product, make_receipt, make_shop
from tests.webhooks.custom import envelope, make_sender, message

State = Receipt.State
ORDER = {"ext_order_id": "1001", "lines": [{"sku": "HAT-1", "quantity": 2, "price": 19.95}], "total": "39.90"}


@pytest.fixture
def sender(db) -> Integration:
    return make_sender()


@pytest.fixture
def warehouse(db) -> Integration:
    integration = make_sender(category="logistics")
    make_location(integration=integration, kind="external")
    make_product(organization=integration.organization, sku="HAT-1")
    return integration


def come(integration, kind, data, **fields) -> Receipt:
    """A message that was received, and is waiting."""
    shop = fields.pop("shop", "")
    body = envelope(kind, data, **({"ext_shop_id": shop} if shop else {}))
    return make_receipt(integration=integration, event_type=kind, shop_ref=shop, body=body, **fields)


def opened(receipt):
    opening.open_waiting()
    receipt.refresh_from_db()
    return receipt.state, receipt.error, receipt.detail


def report(warehouse, *rows, **fields):
    location = warehouse.locations.get()
    return {"location_id": str(location.pk), "style": "snapshot", "rows": list(rows)} | fields


def test_an_order_comes_in_as_over_the_api(sender):
    shop = Shop.objects.get(integration=sender)
    receipt = come(sender, "order.created", ORDER, shop=shop.ext_shop_id)
    assert opened(receipt) == (State.DONE, "", "1001: new")
    order = Order.objects.get()
    assert (order.shop, order.integration, order.source, order.state) == (shop, sender, "api", "new")
    assert (order.total, order.lines.get().price) == (Decimal("39.9000"), Decimal("19.9500"))
    assert Event.objects.filter(type="order.created", entity_id=str(order.pk)).count() == 1
    entry = Entry.objects.get(action="order.create")
    assert (entry.actor, entry.target_id, entry.integration_id) == (sender.name, str(order.pk), sender.pk)


def test_the_same_order_again_is_known_and_changes_nothing(sender):
    first, second = (come(sender, "order.created", ORDER) for _ in range(2))
    assert (opened(first)[2], opened(second)[2]) == ("1001: new", "1001: known")
    assert (Order.objects.count(), Entry.objects.filter(action="order.create").count()) == (1, 1)


def test_an_order_that_is_not_as_it_has_to_be_fails_with_every_reason(sender):
    receipt = come(sender, "order.created", {"ext_order_id": "", "lines": [{"sku": "A", "quantity": 0}], "more": 1})
    state, error, detail = opened(receipt)
    assert (state, error) == (State.FAILED, "validation_error")
    assert [part.partition(":")[0] for part in detail.split("; ")] == ["ext_order_id", "lines[0].quantity", "more"]


@pytest.mark.parametrize("data", [None, [], "x", 7, {}])
@pytest.mark.parametrize("kind", ["order.created", "order.cancelled", "stock.reported"])
def test_any_other_data_fails_and_is_no_bug(db, kind, data):
    sender = make_sender(category="logistics")
    assert opened(come(sender, kind, data))[:2] == (State.FAILED, "validation_error")


def test_a_cancel_frees_the_order_and_to_hear_it_again_changes_nothing(sender):
    opened(come(sender, "order.created", ORDER))
    over = {"ext_order_id": "1001", "reason": "The customer thought again."}
    assert opened(come(sender, "order.cancelled", over)) == (State.DONE, "", "1001: cancelled")
    order = Order.objects.get()
    assert (order.state, order.cancel_reason) == ("cancelled", "The customer thought again.")
    assert opened(come(sender, "order.cancelled", over)) == (State.DONE, "", "1001: cancelled")
    assert Event.objects.filter(type="order.cancelled").count() == 1


def test_a_cancel_that_overtook_its_order_is_parked_until_that_comes(sender):
    cancel = come(sender, "order.cancelled", {"ext_order_id": "1001"})
    assert opened(cancel) == (State.PARKED, "unknown_order", "")
    opened(come(sender, "order.created", ORDER))
    assert opened(cancel) == (State.DONE, "", "1001: cancelled")


def test_a_warehouse_reports_the_stock_of_its_own_location(warehouse):
    receipt = come(warehouse, "stock.reported", report(warehouse, {"sku": "HAT-1", "on_hand": 7}))
    assert opened(receipt) == (State.DONE, "", "1 applied")
    line = StockMovement.objects.get()
    assert (line.on_hand, line.cause, line.reference) == (7, "snapshot", str(receipt.pk))
    assert (line.integration, line.occurred_at) == (warehouse, receipt.received_at)


def test_wi_05_reports_without_a_time_are_of_when_they_came_in_whatever_order_they_are_opened(warehouse):
    now = timezone.now()
    for pieces, minutes in ((5, 1), (9, 3), (7, 2)):
        at = now - timedelta(minutes=minutes)
        opened(
            come(warehouse, "stock.reported", report(warehouse, {"sku": "HAT-1", "on_hand": pieces}), received_at=at)
        )
    assert StockLevel.objects.get().on_hand == 5


def test_wi_05_versions_in_any_order_end_at_the_newest(warehouse):
    for version in (5, 3, 4, 5):
        row = {"sku": "HAT-1", "on_hand": version * 10, "version": version}
        opened(come(warehouse, "stock.reported", report(warehouse, row)))
    assert StockLevel.objects.get().on_hand == 50


def test_a_row_of_a_report_may_name_its_moment_in_any_zone(warehouse):
    row = {"sku": "HAT-1", "on_hand": 7, "observed_at": "2026-11-20T12:00:00+16:00"}
    assert opened(come(warehouse, "stock.reported", report(warehouse, row))) == (State.DONE, "", "1 applied")


def test_of_a_report_the_wrong_rows_are_named_and_the_others_count(warehouse):
    rows = [{"sku": "HAT-1", "on_hand": 3}, {"sku": "HAT-1"}]
    assert opened(come(warehouse, "stock.reported", report(warehouse, *rows)))[::2] == (
        State.DONE,
        "1 applied, 1 refused\nHAT-1: bad_quantity",
    )
    assert opened(come(warehouse, "stock.reported", report(warehouse, {"sku": "HAT-1"}))) == (
        State.FAILED,
        "refused",
        "HAT-1: bad_quantity",
    )


def test_no_warehouse_reports_what_lies_at_anothers(warehouse):
    other = make_location(organization=warehouse.organization)
    data = report(warehouse, {"sku": "HAT-1", "on_hand": 1}, location_id=str(other.pk))
    assert opened(come(warehouse, "stock.reported", data))[:2] == (State.FAILED, "location_not_found")


def test_a_shop_reports_no_stock(sender):
    make_location(integration=sender, kind="external")
    data = report(sender, {"sku": "HAT-1", "on_hand": 1})
    assert opened(come(sender, "stock.reported", data))[:2] == (State.FAILED, "stock_is_read_only")


@pytest.mark.parametrize(
    ("kind", "grant"),
    [("order.created", "orders:write"), ("order.cancelled", "orders:write"), ("stock.reported", "inventory:write")],
)
def test_what_its_grants_do_not_reach_is_parked_until_they_do(db, kind, grant):
    sender = make_sender(category="logistics")
    Integration.objects.filter(pk=sender.pk).update(grants=[one for one in sender.grants if one != grant])
    receipt = come(sender, kind, {})
    assert opened(receipt) == (State.PARKED, "not_allowed", "")
    Integration.objects.filter(pk=sender.pk).update(grants=sender.grants)
    receiving.replay(Receipt.objects.all(), actor=receiving.Actor("test"))
    assert opened(receipt)[:2] == (State.FAILED, "validation_error")


def test_wi_07_an_unknown_event_and_an_unknown_shop_are_parked(sender):
    assert opened(come(sender, "customer.created", {})) == (State.PARKED, "unknown_event", "")
    receipt = come(sender, "order.created", ORDER, shop="elsewhere")
    assert opened(receipt) == (State.PARKED, "unknown_shop", "")
    Shop.objects.filter(integration=sender).update(ext_shop_id="elsewhere")
    receiving.replay(Receipt.objects.filter(pk=receipt.pk), actor=receiving.Actor("test"))
    assert opened(receipt) == (State.DONE, "", "1001: new")


def test_of_several_shops_one_has_to_be_named_and_never_anothers(sender):
    make_shop(integration=sender)
    assert opened(come(sender, "order.created", ORDER))[1] == "unknown_shop"
    other = make_shop(integration=make_custom_integration(organization=sender.organization))
    assert opened(come(sender, "order.created", ORDER, shop=other.ext_shop_id))[1] == "unknown_shop"
    Shop.objects.filter(integration=sender).update(is_active=False)
    assert opened(come(sender, "order.created", ORDER))[1] == "unknown_shop"


@pytest.mark.django_db(transaction=True)
def test_wi_04_fifty_duplicates_at_once_have_one_effect():
    sender = make_sender()
    sent = message(sender, envelope("order.created", ORDER))
    assert {answer.status_code for answer in at_once(50, sent.send)} == {200}
    at_once(4, opening.open_waiting)
    assert (Receipt.objects.get().repeats, Order.objects.count()) == (49, 1)
    assert Event.objects.filter(type="order.created").count() == 1
