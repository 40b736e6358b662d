"""Storing and picking by hand, all at once."""

from uuid import uuid4

import pytest

from apps.audit.models import Entry
from apps.audit.trail import Actor
from apps.catalog import by_hand
from apps.catalog.models import StockLevel, StockMovement
from apps.catalog.stocking import Result
from apps.webhooks.models import Event
from tests.concurrency import at_once
from tests.factories import make_integration, make_level, make_location, make_product


def test_each_deed_leaves_one_line_of_the_ledger_and_one_event(db):
    product = make_product()
    shelf = make_location(organization=product.organization)
    by_hand.store(product, shelf, 5, entry="1", actor=Actor("anna"))
    by_hand.pick(product, shelf, 2, entry="2", actor=Actor("bob"))
    by_hand.count(product, shelf, 4, reason="One was behind the rack", actor=Actor("anna"))
    lines = StockMovement.objects.order_by("id").values_list("cause", "on_hand_change", "on_hand", "actor", "note")
    assert list(lines) == [
        ("operator", 5, 5, "anna", ""),
        ("operator", -2, 3, "bob", ""),
        ("operator", 1, 4, "anna", "One was behind the rack"),
    ]
    events = Event.objects.filter(type="stock.changed").order_by("sequence")
    assert [(event.data["cause"], event.data["in_stock"]) for event in events] == [
        ("operator", 5), ("operator", 3), ("operator", 4),
    ]  # fmt: skip


def test_each_deed_stands_in_the_audit_trail_with_what_was_there_before(db):
    product = make_product()
    shelf = make_location(organization=product.organization)
    anna = Actor("anna")
    by_hand.store(product, shelf, 5, entry="1", actor=anna)
    by_hand.store(product, shelf, 5, entry="1", actor=anna)
    by_hand.pick(product, shelf, 9, entry="2", actor=anna)
    by_hand.pick(product, shelf, 2, entry="3", actor=anna)
    by_hand.count(product, shelf, 4, reason="One was behind the rack", actor=anna)
    told = Entry.objects.order_by("pk").values_list("action", "before", "after", "reason", "actor", "organization_id")
    assert list(told) == [
        ("stock.store", {"on_hand": 0}, {"on_hand": 5}, "", "anna", product.organization_id),
        ("stock.pick", {"on_hand": 5}, {"on_hand": 3}, "", "anna", product.organization_id),
        ("stock.count", {"on_hand": 3}, {"on_hand": 4}, "One was behind the rack", "anna", product.organization_id),
    ]


@pytest.mark.parametrize("kind", ["external", "of an integration"])
def test_nothing_is_done_by_hand_where_somebody_else_looks_after_the_goods(db, kind):
    product = make_product()
    integration = make_integration(organization=product.organization)
    place = make_location(
        organization=product.organization,
        **{"kind": "external"} if kind == "external" else {"integration": integration},
    )
    level = make_level(product=product, location=place)
    outcomes = [
        by_hand.store(product, place, 1, entry="1", actor=Actor("anna")),
        by_hand.pick(product, place, 1, entry="2", actor=Actor("anna")),
        by_hand.count(product, place, 1, reason="-", actor=Actor("anna")),
    ]
    assert [outcome.error for outcome in outcomes] == ["not_by_hand"] * 3
    level.refresh_from_db()
    assert (level.on_hand, level.version) == (10, 1)


@pytest.fixture
def shelf(transactional_db):
    return make_location()


@pytest.mark.django_db(transaction=True)
def test_a_form_sent_many_times_at_once_stores_once(shelf):
    product, entry = make_product(organization=shelf.organization), str(uuid4())
    outcomes = at_once(6, lambda: by_hand.store(product, shelf, 5, entry=entry, actor=Actor("anna")).result)
    assert sorted(outcomes) == [Result.APPLIED, *[Result.DUPLICATE] * 5]
    assert StockLevel.objects.get().on_hand == 5


@pytest.mark.django_db(transaction=True)
def test_many_who_pick_at_once_never_take_more_than_there_is(shelf):
    product = make_product(organization=shelf.organization)
    by_hand.store(product, shelf, 7, entry="all", actor=Actor("anna"))
    outcomes = at_once(6, lambda: by_hand.pick(product, shelf, 2, entry=str(uuid4()), actor=Actor("bob")).error)
    assert sorted(outcomes) == ["", "", "", *["negative_stock"] * 3]
    assert StockLevel.objects.get().on_hand == 1
