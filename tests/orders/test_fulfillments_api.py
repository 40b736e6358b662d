"""What left, over the API, and what a warehouse that asks us is to ship (Pipe17: contracts 2.8)."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.audit.models import Entry
from apps.audit.trail import Actor
from apps.catalog.models import StockLevel
from apps.integrations.connectors.orders import Tracking
from apps.orders import cancelling, fulfilling
from apps.orders.models import Fulfillment, Order, Parcel
from tests.api.calling import call, said, wrong
from tests.factories import (
    make_custom_integration,
    make_fulfillment,
    make_key,
    make_location,
    make_order,
    make_pair,
)

from .goods import handed, line_ids, stock

pytestmark = pytest.mark.django_db
ANNA = Actor("anna@foo-3pl.example")
NOON = "2026-11-21T12:00:00Z"


@pytest.fixture
def one():
    return handed(2, 3, order={"notes": "Wrap it", "tags": ["gift"], "shipping_method": "Express"}, service="dhl")


@pytest.fixture
def key(one) -> str:
    return make_key(integration=one.integration)


def get(key, path):
    answer = call("GET", f"v1/{path}", token=key)
    assert answer.status_code == 200, answer.content
    return answer.json()


def put(key, one, **body):
    return call("PUT", f"v1/shipments/{one.pk}", body, token=key)


def report(key, one, **body):
    return call("POST", "v1/fulfillments", {"shipment_id": str(one.pk), "ext_fulfillment_id": "P-1"} | body, token=key)


def state(one):
    one = Fulfillment.objects.get(pk=one.pk)
    return one.state, one.order.state


def test_a_warehouse_reads_what_it_is_to_ship(one, key):
    """Behaviour 70: with the notes for whoever picks."""
    first, second = one.lines.select_related("product")
    make_pair(integration=one.integration, first=first.product.sku, second="OUR-7")
    [shipment] = get(key, "shipments")["data"]
    assert get(key, f"shipments/{one.pk}") == shipment
    assert shipment == {
        "id": str(one.pk),
        "order_id": str(one.order_id),
        "ext_order_id": one.order.ext_order_id,
        "number": one.order.number,
        "status": "ready",
        "version": 1,
        "location_id": str(one.location_id),
        "ext_location_id": "W1",
        "priority": 0,
        "destination": one.order.destination,
        "shipping_method": "Express",
        "service": "dhl",
        "tags": ["gift"],
        "notes": "Wrap it",
        "lines": [
            {
                "line_id": first.order_line_id,
                "sku": "OUR-7",
                "name": first.product.name,
                "quantity": 2,
                "shipped": 0,
            },
            {
                "line_id": second.order_line_id,
                "sku": second.product.sku,
                "name": second.product.name,
                "quantity": 3,
                "shipped": 0,
            },
        ],
        "ext_shipment_id": "",
        "ext_reference_url": "",
        "reason": "",
        "placed_at": None,
        "created_at": shipment["created_at"],
        "updated_at": shipment["updated_at"],
    }


def test_the_most_urgent_come_first_then_the_oldest(one, key):
    """Behaviour 75."""
    urgent = handed(1, place=one.location, priority=5)
    later = handed(1, place=one.location)
    handed(1, place=one.location, state="sent")
    assert [row["id"] for row in get(key, "shipments")["data"]] == [str(urgent.pk), str(one.pk), str(later.pk)]
    page = get(key, "shipments?per_page=2")
    assert [row["id"] for row in get(key, page["next"].partition("/v1/")[2])["data"]] == [str(later.pk)]


@pytest.mark.parametrize("count", [1, 4])
def test_a_page_of_shipments_takes_the_same_statements_however_many_they_are(one, key, count):
    for _ in range(count):
        handed(1, 1, place=one.location)
    with CaptureQueriesContext(connection) as asked:
        get(key, "shipments")
    assert len(asked) == 7


def test_shipments_are_found_by_what_they_are_about(one, key):
    sent = handed(1, place=one.location, state="sent")
    found = {
        query: [row["id"] for row in get(key, f"shipments?{query}")["data"]]
        for query in ("status=sent", f"ext_order_id={one.order.ext_order_id}", f"location_id={uuid4()}",
                      "updated_since=2126-01-01T00:00:00Z", "status=cancel_requested")
    }  # fmt: skip
    assert list(found.values()) == [[str(sent.pk)], [str(one.pk)], [], [], []]
    assert wrong(call("GET", "v1/shipments?status=lost", token=key)) == ["status"]


def test_a_warehouse_takes_a_shipment_and_says_so_again(one, key):
    named = {"ext_shipment_id": "W-1", "ext_reference_url": "https://wms.example/1"}
    answers = [put(key, one, status="sent", **named) for _ in range(2)]
    for answer in answers:
        status, body = said(answer)
        assert (status, body["status"], body["version"]) == (200, "sent", 2)
        assert {name: body[name] for name in named} == named
    assert state(one) == ("sent", "sent")
    assert Entry.objects.filter(action="shipment.change", target_id=str(one.pk)).count() == 2


def test_an_id_that_it_gave_to_another_is_refused(one, key):
    handed(1, place=one.location, remote_id="W-1")
    assert said(put(key, one, status="sent", ext_shipment_id="W-1")) == (409, "conflict")
    assert state(one) == ("ready", "new")


def test_who_read_an_older_one_changes_nothing(one, key):
    assert put(key, one, status="sent", version=1).status_code == 200
    assert said(put(key, one, status="picking", version=1)) == (409, "stale_version")
    assert state(one) == ("sent", "sent")
    assert put(key, one, status="picking", version=2).status_code == 200
    assert state(one) == ("picking", "picking")


@pytest.mark.parametrize(
    ("body", "named"),
    [({}, "status"), ({"status": "shipped"}, "status"), ({"status": "sent", "x": 1}, "x"),
     ({"status": "sent", "ext_reference_url": "javascript:alert(1)"}, "ext_reference_url"),
     ({"status": "sent", "version": 0}, "version"), ({"status": "sent", "version": "1"}, "version")],
)  # fmt: skip
def test_a_change_that_makes_no_sense_is_refused(one, key, body, named):
    assert wrong(put(key, one, **body)) == [named]
    assert state(one) == ("ready", "new")


def test_a_parcel_is_reported_with_its_tracking(one, key):
    """Behaviour 76."""
    first, second = line_ids(one)
    tracking = {"carrier": "DHL", "tracking_number": "3S1", "tracking_url": "https://dhl.example/3S1"}
    answer = report(key, one, **tracking, shipped_at=NOON, lines=[{"line_id": first, "quantity": 2}])
    parcel = Parcel.objects.get()
    assert said(answer) == (
        200,
        tracking
        | {
            "id": str(parcel.pk),
            "ext_fulfillment_id": "P-1",
            "shipped_at": NOON,
            "lines": [{"line_id": first, "quantity": 2}],
            "shipment_id": str(one.pk),
            "status": "sent",
        },
    )
    assert (state(one), stock(one)) == (("sent", "partly_fulfilled"), [(8, 0), (10, 3)])
    assert said(report(key, one, ext_fulfillment_id="P-2"))[1]["lines"] == [{"line_id": second, "quantity": 3}]
    assert (state(one), stock(one)) == (("shipped", "fulfilled"), [(8, 0), (7, 0)])


def test_a_parcel_that_is_reported_again_counts_once(one, key):
    bodies = [said(report(key, one)) for _ in range(3)]
    assert bodies == [bodies[0]] * 3
    assert (bodies[0][1]["status"], stock(one), Parcel.objects.count()) == ("shipped", [(8, 0), (7, 0)], 1)


def test_a_line_may_be_named_by_the_warehouses_own_sku(one, key):
    first, second = one.lines.select_related("product")
    make_pair(integration=one.integration, first=first.product.sku, second="OUR-7")
    lines = [{"sku": "OUR-7", "quantity": 1}, {"sku": second.product.sku, "quantity": 3}]
    assert report(key, one, lines=lines, is_final=True).status_code == 200
    assert (state(one), stock(one)) == (("partly_shipped", "partly_fulfilled"), [(9, 0), (7, 0)])


def test_a_sku_on_two_lines_fills_one_after_the_other(one, key):
    product = one.lines.first().product
    one.lines.update(product=product)
    StockLevel.objects.filter(product=product).update(reserved=5)
    make_pair(integration=one.integration, first=product.sku, second="SAME")
    assert report(key, one, lines=[{"sku": "SAME", "quantity": 4}]).status_code == 200
    assert list(one.lines.values_list("shipped", flat=True)) == [2, 2]
    assert said(report(key, one, ext_fulfillment_id="P-2", lines=[{"sku": "SAME", "quantity": 2}])) == (
        422,
        "more_than_ordered",
    )


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"lines": []}, "lines"),
        ({"lines": [{"quantity": 1}]}, "lines[0].line_id"),
        ({"lines": [{"line_id": 1, "sku": "A", "quantity": 1}]}, "lines[0].line_id"),
        ({"lines": [{"line_id": 1, "quantity": 0}]}, "lines[0].quantity"),
        ({"lines": [{"line_id": 1, "quantity": "2"}]}, "lines[0].quantity"),
        ({"lines": [{"line_id": 2**62, "quantity": 1}]}, "lines"),
        ({"lines": [{"sku": "NOBODYS", "quantity": 1}]}, "lines"),
        ({"shipped_at": "2126-01-01T00:00:00Z"}, "shipped_at"),
        ({"shipped_at": "0001-01-01T00:00:00+01:00"}, "shipped_at"),
        ({"shipped_at": "1969-12-31T23:59:59Z"}, "shipped_at"),
        ({"ext_fulfillment_id": ""}, "ext_fulfillment_id"),
        ({"tracking_url": "javascript:alert(1)"}, "tracking_url"),
        ({"is_final": "yes"}, "is_final"),
        ({"shipment_id": "7"}, "shipment_id"),
    ],
)
def test_a_report_that_makes_no_sense_is_refused_and_changes_nothing(one, key, body, named):
    assert wrong(report(key, one, **body)) == [named]
    assert (state(one), stock(one), Parcel.objects.count()) == (("ready", "new"), [(10, 2), (10, 3)], 0)


def test_what_is_refused_waits_for_somebody(one, key):
    status, body = said(call("POST", f"v1/shipments/{one.pk}/reject", {"reason": "no such item"}, token=key))
    assert (status, body["status"], body["reason"]) == (200, "rejected", "no such item")
    assert (state(one), stock(one)) == (("rejected", "waiting"), [(10, 0), (10, 0)])


def test_a_final_one_does_not_change(one, key):
    """Behaviour 78."""
    report(key, one)
    assert [
        said(put(key, one, status="picking")),
        said(call("POST", f"v1/shipments/{one.pk}/reject", {"reason": "late"}, token=key)),
        said(report(key, one, ext_fulfillment_id="P-2")),
    ] == [(409, "fulfillment_is_final")] * 3
    assert (state(one), stock(one)) == (("shipped", "fulfilled"), [(8, 0), (7, 0)])


def test_a_warehouse_that_is_asked_to_stop_says_that_it_has(one, key):
    """Behaviour 77."""
    put(key, one, status="sent")
    cancelling.cancel(one.order, by=ANNA)
    [shipment] = get(key, "shipments?status=cancel_requested")["data"]
    assert (shipment["id"], shipment["status"]) == (str(one.pk), "cancel_requested")
    assert get(key, "shipments?status=sent")["data"] == []
    assert said(put(key, one, status="cancelled"))[1]["status"] == "cancelled"
    assert (state(one), stock(one)) == (("cancelled", "cancelled"), [(10, 0), (10, 0)])


def test_a_warehouse_that_cannot_stop_goes_on(one, key):
    put(key, one, status="sent")
    cancelling.cancel(one.order, by=ANNA)
    assert said(put(key, one, status="picking"))[1]["status"] == "picking"
    assert state(one) == ("picking", "picking")
    assert one.order.hindrances.get().code == "cancel_refused"
    assert get(key, "shipments?status=cancel_requested")["data"] == []


def test_nobody_stops_what_is_not_to_be_stopped(one, key):
    assert said(put(key, one, status="cancelled")) == (409, "conflict")
    assert state(one) == ("ready", "new")


def test_a_shop_reads_what_left(one):
    """Behaviour 79."""
    first, second = one.lines.select_related("order_line")
    parcel = fulfilling.ship(one, by=ANNA, tracking=Tracking("DHL", "3S1", "https://dhl.example/3S1"), entry="P-1")
    shop = make_key(integration=one.order.integration)
    [found] = get(shop, "fulfillments")["data"]
    assert get(shop, f"fulfillments/{one.pk}") == found
    assert found == {
        "id": str(one.pk),
        "order_id": str(one.order_id),
        "ext_order_id": one.order.ext_order_id,
        "ext_fulfillment_order_id": "",
        "shop_id": str(one.order.shop_id),
        "location_id": str(one.location_id),
        "state": "shipped",
        "reason": "",
        "lines": [
            {
                "line_id": line.order_line_id,
                "ext_line_id": line.order_line.ext_line_id,
                "sku": line.order_line.sku,
                "product_id": line.product_id,
                "quantity": line.quantity,
                "shipped": line.quantity,
            }
            for line in (first, second)
        ],
        "parcels": [
            {
                "id": str(parcel.pk),
                "ext_fulfillment_id": "P-1",
                "carrier": "DHL",
                "tracking_number": "3S1",
                "tracking_url": "https://dhl.example/3S1",
                "shipped_at": found["parcels"][0]["shipped_at"],
                "lines": [
                    {"line_id": first.order_line_id, "quantity": 2},
                    {"line_id": second.order_line_id, "quantity": 3},
                ],
            }
        ],
        "version": 2,
        "created_at": found["created_at"],
        "updated_at": found["updated_at"],
        "finished_at": found["finished_at"],
    }


def test_fulfillments_are_found_by_what_they_are_about(one):
    shop = make_key(integration=one.order.integration)
    other = make_fulfillment(order=make_order(shop=one.order.shop), state="sent")
    later = (timezone.now() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    queries = {
        "": [other, one],
        "state=sent": [other],
        f"order_id={one.order_id}": [one],
        f"location_id={one.location_id}": [one],
        f"ext_order_id={other.order.ext_order_id}": [other],
        f"updated_since={later}": [],
    }
    found = {query: [row["id"] for row in get(shop, f"fulfillments?{query}")["data"]] for query in queries}
    assert found == {query: [str(row.pk) for row in rows] for query, rows in queries.items()}


@pytest.mark.parametrize("count", [1, 4])
def test_a_page_of_fulfillments_takes_the_same_statements_however_many_they_are(one, count):
    for _ in range(count):
        make_fulfillment(order=make_order(shop=one.order.shop))
    shop = make_key(integration=one.order.integration)
    with CaptureQueriesContext(connection) as asked:
        get(shop, "fulfillments")
    assert len(asked) == 6


def test_strangers_find_nothing(one):
    stranger, neighbour = make_key(), make_key(integration=make_custom_integration(organization=one.organization))
    for token in (stranger, neighbour):
        assert get(token, "shipments")["data"] == get(token, "fulfillments")["data"] == []
        assert {
            said(call("GET", f"v1/shipments/{one.pk}", token=token)),
            said(call("GET", f"v1/fulfillments/{one.pk}", token=token)),
            said(put(token, one, status="sent")),
            said(report(token, one)),
            said(call("POST", f"v1/shipments/{one.pk}/reject", {"reason": "mine"}, token=token)),
        } == {(404, "fulfillment_not_found")}
    assert state(one) == ("ready", "new")


def test_who_sees_all_of_it_still_ships_nothing_of_another_place(one):
    """Only the integration that fulfils from a location says what left it."""
    sees_all = make_custom_integration(organization=one.organization, org_wide_access=True)
    token = make_key(integration=sees_all)
    by_people = make_fulfillment(order=Order.objects.get(), location=make_location(organization=one.organization))
    assert len(get(token, "fulfillments")["data"]) == 2
    assert get(token, "shipments")["data"] == []
    for other in (one, by_people):
        assert said(put(token, other, status="sent")) == (403, "location_of_another")
        assert said(report(token, other)) == (403, "location_of_another")
    assert {state(other)[0] for other in (one, by_people)} == {"ready"}
