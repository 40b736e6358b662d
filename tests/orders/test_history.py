"""One timeline of everything about an order, for the 3PL and for its shop's owner (issue 5, point 8)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.audit.trail import Actor
from apps.audit.trail import record as put_on_record
from apps.catalog import stocking
from apps.catalog.models import StockMovement
from apps.catalog.stocking import By, Change
from apps.orders import history
from apps.orders.history import timeline
from apps.orders.models import Order
from apps.orders.timeline import ITSELF, record
from tests.factories import (
    make_entry,
    make_fulfillment,
    make_integration,
    make_level,
    make_location,
    make_member,
    make_order,
    make_parcel,
    make_product,
    make_receipt,
    make_shop,
    make_user,
)

pytestmark = pytest.mark.django_db
WAREHOUSE = Actor("Warehouse of Hats")


@pytest.fixture
def order(owner):
    integration = make_integration(organization=owner.organization, name="Vendure of Hats")
    return make_order(shop=make_shop(integration=integration))


def told(order, *, internal: bool = False) -> list[tuple[str, str]]:
    return [(moment.text, moment.actor) for moment in timeline(order, internal=internal)]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (Order.Source.API, "Sent to us"),
        (Order.Source.PULLED, "Read from the platform"),
        (Order.Source.WEBHOOK, "The platform told us of it"),
    ],
)
def test_it_begins_with_how_the_order_came(order, source, text):
    order.source = source
    assert told(order) == [(text, "Vendure of Hats")]


def test_what_happened_stands_in_its_order_with_who_did_it(order, owner):
    record(order, "held", by=ITSELF, until="2026-11-21T10:00:00+00:00")
    record(order, "released", by=Actor(owner.email))
    record(order, "routed", by=ITSELF, location="Hall 1", pieces=2)
    record(order, "picking", by=WAREHOUSE, location="Hall 1")
    record(order, "parcel", by=WAREHOUSE, location="Hall 1", pieces=2, carrier="PostNL", tracking="3S1")
    assert told(order)[1:] == [
        ("Held until Nov. 21, 2026, 10 a.m., so that it can still be changed", "Crossdock"),
        ("Released: it may go", "owner@example.com"),
        ("To be shipped from Hall 1 (pieces: 2)", "Crossdock"),
        ("Being picked at Hall 1", "Warehouse of Hats"),
        ("A parcel left Hall 1 (pieces: 2), PostNL 3S1", "Warehouse of Hats"),
    ]


def test_an_earlier_moment_stands_before_a_later_one_wherever_it_was_written_down(order):
    receipt = make_receipt(integration=order.integration, event_type="fulfillments.update")
    make_entry(order=order, kind="picking", data={"location": "Hall 1", "receipt": str(receipt.pk)})
    type(receipt).objects.filter(pk=receipt.pk).update(received_at=timezone.now() + timedelta(hours=1))
    texts = [moment.text for moment in timeline(order, internal=True)]
    assert texts == ["Sent to us", "Being picked at Hall 1", "Message “fulfillments.update” came: Waiting"]


def test_stock_that_moved_for_it_is_one_moment_at_each_place(order):
    hats = [make_product(organization=order.organization, sku=f"HAT-{n}") for n in (1, 2)]
    place = make_location(organization=order.organization, name="Hall 1")
    for hat in hats:
        make_level(product=hat, location=place)
    order.lines.all().delete()
    for position, hat in enumerate(hats):
        order.lines.create(organization=order.organization, position=position, sku=hat.sku, product=hat, quantity=2)
    fulfillment = make_fulfillment(order=order, location=place)
    by = By(StockMovement.Cause.ORDER, "Crossdock", reference=str(order.pk))
    held = [Change(hat.pk, place.pk, reserved=2) for hat in hats]
    assert stocking.reserve(order.organization, held, by=by)
    elsewhere = By(StockMovement.Cause.ORDER, "Crossdock", reference="another order")
    assert stocking.reserve(order.organization, held[:1], by=elsewhere)
    text = "HAT-1: 2 pieces reserved for an order; HAT-2: 2 pieces reserved for an order, at Hall 1"
    assert told(fulfillment.order)[1:] == [(text, "Crossdock")]


def test_the_3pl_sees_messages_deeds_and_calls_with_links_and_the_owner_none_of_them(order):
    receipt = make_receipt(integration=order.integration, event_type="fulfillments.update")
    record(order, "found_there", by=ITSELF, internal=True, location="Hall 1", remote_id="R1")
    record(order, "picking", by=WAREHOUSE, location="Hall 1", receipt=str(receipt.pk))
    deed = put_on_record(Actor("admin@foo-3pl.example"), "order.release", on=order)
    whole = timeline(order, internal=True)
    assert {(moment.text, moment.link) for moment in whole if moment.is_internal} == {
        ("Hall 1 had it already, as R1: it was not sent twice", ""),
        ("Message “fulfillments.update” came: Waiting", f"/admin/webhooks/receipt/{receipt.pk}/change/"),
        ("Audit trail: order.release (Done)", f"/admin/audit/entry/{deed.pk}/change/"),
    }
    assert told(order) == [("Sent to us", "Vendure of Hats"), ("Being picked at Hall 1", "Warehouse of Hats")]


def test_the_owner_reads_addresses_of_their_own_team_only(order, owner):
    colleague = make_member(organization=owner.organization, email="anna@hats.example")
    staff = make_user(email="admin@foo-3pl.example", is_staff=True)
    for who in (owner, colleague, staff):
        record(order, "released", by=Actor(who.email))
    record(order, "released", by=Actor(f"{staff.email}, by the key Script (xdu_1)"))
    names = [moment.actor for moment in timeline(order, internal=False)][1:]
    assert names == ["owner@example.com", "anna@hats.example", "the 3PL", "the 3PL, by the key Script (xdu_1)"]
    assert [moment.actor for moment in timeline(order, internal=True)][3] == "admin@foo-3pl.example"


def test_what_an_order_waited_for_is_named_as_people_know_it(order):
    hat = make_product(organization=order.organization, sku="HAT-1")
    reasons = [["out_of_stock", str(hat.pk)], ["unknown_sku", "CAP"], ["incomplete_address", "city"]]
    record(order, "waiting", by=ITSELF, reasons=reasons)
    assert told(order)[1][0] == (
        "It waits. There are not enough pieces of HAT-1. We do not know the SKU “CAP”. "
        "The address is not complete: city"
    )


def test_a_long_story_takes_as_many_statements_as_a_short_one(order):
    def happen(times: int) -> None:
        for _ in range(times):
            receipt = make_receipt(integration=order.integration)
            hat = make_product(organization=order.organization)
            reasons = [["out_of_stock", str(hat.pk)]]
            make_entry(
                order=order, kind="waiting", actor="a@b.example", data={"reasons": reasons, "receipt": str(receipt.pk)}
            )
            put_on_record(ITSELF, "order.release", on=order)
            make_parcel(fulfillment=make_fulfillment(order=order))

    def statements() -> list[int]:
        counts = []
        for internal in (True, False):
            with CaptureQueriesContext(connection) as found:
                timeline(Order.objects.select_related("integration").get(pk=order.pk), internal=internal)
            counts.append(len(found))
        return counts

    happen(1)
    short = statements()
    happen(4)
    assert statements() == short


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://track.example/1", "https://track.example/1"),
        ("HTTP://track.example/1", "HTTP://track.example/1"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//track.example/1", ""),
        ("", ""),
    ],
)
def test_only_a_web_address_of_a_warehouse_becomes_a_link(url, link):
    assert history.tracking(make_parcel(tracking_url=url)) == link
