"""Orders over the API: created, read, listed, changed, cancelled (Pio: contracts 1.7; behaviours 70 to 72, 77)."""

import json
import random
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.api import limits
from apps.audit.models import Entry as Trail
from apps.catalog.models import StockLevel
from apps.orders.models import Fulfillment, Order, OrderLine
from tests.api.calling import bearer, call, said, wrong
from tests.catalog.partners import open_shop
from tests.concurrency import at_once
from tests.factories import (
    make_access_token,
    make_authorization,
    make_custom_integration,
    make_fulfillment,
    make_hindrance,
    make_integration,
    make_key,
    make_order,
    make_parcel,
    make_partner_integration,
    make_shop,
)
from tests.happenings import of_goods
from tests.skus import KEPT

from .buying import HAT, ORDER, WHOLE, bulk, cancel, change, listed, place, placed, read

pytestmark = pytest.mark.django_db
NOTHING = {"code": "", "message": "", "details": []}


@pytest.fixture
def opened():
    return open_shop(make_partner_integration())


@pytest.fixture
def shop(opened):
    return opened[0]


@pytest.fixture
def token(opened) -> str:
    return opened[1]


def moment(value) -> str:
    return value.isoformat().replace("+00:00", "Z")


def statements(work) -> int:
    with CaptureQueriesContext(connection) as queries:
        work()
    return len(queries)


def test_an_order_carries_lines_tags_notes_shipping_method_and_destination(shop, token):
    answer = place(token, WHOLE)
    order = Order.objects.get()
    named = {name: WHOLE[name] for name in ("ext_order_id", "ext_fulfillment_order_id", "number")}
    assert said(answer) == (200, {"id": str(order.pk), "state": "new"} | named)
    lines = list(order.lines.values_list("pk", flat=True))
    blank = {"name": "", "ext_line_id": "", "ext_product_id": "", "ext_variant_id": "", "price": None}
    none_yet = {"product_id": None, "shipped": 0, "cancelled": 0}
    assert read(token, order.pk) == WHOLE | {
        "id": str(order.pk),
        "shop_id": str(shop.pk),
        "state": "new",
        "lines": [{"id": pk} | blank | line | none_yet for pk, line in zip(lines, WHOLE["lines"], strict=True)],
        "shipping_price": "5",
        "placed_at": "2026-01-31T11:00:00Z",
        "priority": 0,
        "release_at": moment(order.release_at),
        "cancel_requested_at": None,
        "cancelled_at": None,
        "version": 1,
        "created_at": moment(order.created_at),
        "updated_at": moment(order.updated_at),
        "hindrances": [],
        "fulfillments": [],
    }
    assert (order.organization, order.shop, order.source) == (shop.organization, shop, "api")
    assert order.email == "bob@example.com"


def test_what_is_not_said_of_an_order_is_empty(token):
    answer = read(token, placed(token))
    assert (answer["number"], answer["notes"], answer["destination"], answer["customer"]) == ("1001", "", {}, {})
    assert (answer["total"], answer["currency"], answer["placed_at"], answer["tags"]) == (None, "", None, [])


def test_an_order_has_its_event_and_its_entry_in_the_trail(shop, token):
    order = placed(token)
    event = of_goods().get()
    assert (event.type, event.entity_id, event.sequence) == ("order.created", order, 1)
    trail = Trail.objects.get()
    assert (trail.action, trail.target_id, trail.organization_id) == ("order.create", order, shop.organization_id)
    assert trail.integration_id == shop.integration_id


def test_a_second_order_under_the_same_ids_is_refused(token):
    placed(token, ext_fulfillment_order_id="a")
    assert said(place(token, ext_fulfillment_order_id="a", notes="Other")) == (400, "order_already_exists")
    placed(token, ext_fulfillment_order_id="b")
    placed(token)
    assert Order.objects.count() == 3


def test_the_same_idempotency_key_gets_the_first_answer_again(token):
    headers = {"Idempotency-Key": "order-1"}
    first, again = (call("POST", "v1/orders", ORDER, token=token, headers=headers) for _ in range(2))
    assert (first.status_code, again.json()) == (200, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    other = call("POST", "v1/orders", ORDER | {"notes": "Other"}, token=token, headers=headers)
    assert said(other) == (422, "idempotency_key_reused")
    assert Order.objects.count() == 1


def test_a_cancelled_order_can_be_created_again_under_its_ids(token):
    old = placed(token)
    cancel(token, old)
    new = placed(token, lines=[HAT | {"quantity": 3}])
    assert (read(token, old)["state"], read(token, new)["state"]) == ("cancelled", "new")


@pytest.mark.django_db(transaction=True)
def test_of_calls_at_once_one_creates_the_order():
    _, token = open_shop(make_partner_integration())
    answers = at_once(5, lambda: said(place(token))[1])
    assert sorted(str(answer)[:20] for answer in answers)[:4] == ["order_already_exists"] * 4
    assert (Order.objects.count(), OrderLine.objects.count(), of_goods().count()) == (1, 1, 1)


def test_a_sku_that_nobody_knows_and_an_address_that_lacks_something_are_taken(token):
    order = placed(token, destination={"city": "Delft"}, lines=[{"sku": "NOBODYS", "quantity": 1}])
    assert read(token, order)["state"] == "new"


@pytest.mark.parametrize("sku", KEPT, ids=repr)
def test_every_sku_comes_back_as_it_was_sent(sku, token):
    """IN-04."""
    order = read(token, placed(token, lines=[{"sku": sku, "quantity": 1}]))
    assert [line["sku"] for line in order["lines"]] == [sku]
    assert listed(token, "?per_page=1") == ["1001"]


def test_a_long_word_in_small_letters_is_longer_and_does_no_harm(token):
    order = placed(token, customer={"email": "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}" * 255})
    assert len(Order.objects.get(pk=order).email) == 255


def test_a_wrong_order_is_refused_as_everywhere(token):
    answer = place(token, lines=[{"sku": "", "quantity": 1.5}], notes=7)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert wrong(answer) == ["lines[0].sku", "lines[0].quantity", "notes"]
    assert answer.json()["message"] == (
        "lines[0].sku: This field may not be blank.; lines[0].quantity: A valid integer is required.;"
        " notes: Not a valid string."
    )
    assert Order.objects.count() == 0


@pytest.mark.parametrize("text", [b'{"ext_order_id": "\\u0000"}', b'{"ext_order_id": "\\ud800"}', b"{", b"\xff"])
def test_what_cannot_be_stored_is_refused(text, token):
    answer = Client().post("/api/v1/orders", text, content_type="application/json", headers=bearer(token))
    assert said(answer) == (400, "malformed_request")


def test_a_token_without_a_shop_creates_no_order():
    token = make_access_token(authorization=make_authorization())
    assert said(place(token)) == (403, "shop_required")
    assert said(bulk(token, ORDER)) == (403, "shop_required")


def test_a_key_with_several_shops_says_which_one():
    integration = make_custom_integration()
    shops, key = [make_shop(integration=integration) for _ in range(2)], make_key(integration=integration)
    assert wrong(place(key)) == ["shop_id"]
    assert place(key, query=f"?shop_id={shops[1].pk}").status_code == 200
    assert Order.objects.get().shop == shops[1]
    assert said(place(key, query=f"?shop_id={make_shop().pk}")) == (404, "shop_not_found")


def test_orders_of_a_shop_that_its_platform_tells_us_of_are_not_pushed():
    integration = make_integration()
    theirs = make_shop(integration=integration)
    own = make_custom_integration(organization=integration.organization, org_wide_access=True)
    assert said(place(make_key(integration=own), query=f"?shop_id={theirs.pk}")) == (409, "conflict")
    assert Order.objects.count() == 0


def test_an_order_of_a_thousand_lines_takes_as_many_statements_as_one_of_one(token):
    place(token, ext_order_id="warm")
    counts = [statements(lambda n=n: place(token, ext_order_id=str(n), lines=[HAT] * n)) for n in (1, 1_000)]
    assert counts == [counts[0]] * 2
    assert OrderLine.objects.count() == 1_002


def test_a_token_sees_only_the_orders_of_its_own_shop(shop, token):
    own = make_order(shop=shop, ext_order_id="own")
    other = make_order(shop=make_shop(integration=shop.integration))
    assert listed(token) == ["own"]
    assert read(token, own.pk)["ext_order_id"] == "own"
    for order in (other.pk, make_order().pk, uuid4()):
        for method in ("GET", "PUT", "DELETE"):
            body = None if method == "GET" else {}
            assert said(call(method, f"v1/orders/{order}", body, token=token)) == (404, "order_not_found")


def test_a_warehouses_key_reads_no_orders():
    key = make_key(integration=make_custom_integration(), grants=["shipments:read", "fulfillments:write"])
    assert said(call("GET", "v1/orders", token=key)) == (403, "insufficient_scope")
    assert said(place(key)) == (403, "insufficient_scope")


def test_an_order_says_what_it_waits_for_who_picks_it_and_what_has_left(shop, token):
    order = make_order(shop=shop)
    fulfillment = make_fulfillment(order=order)
    parcel = make_parcel(
        fulfillment=fulfillment, carrier="PostNL", tracking_number="3S1", tracking_url="https://x.example"
    )
    hindrance = make_hindrance(order=order)
    answer = read(token, order.pk)
    assert answer["hindrances"] == [
        {
            "code": "unknown_sku",
            "message": "Nobody has said which product this SKU is.",
            "ref": "NOBODYS",
            "who": "owner",
            "since": moment(hindrance.since),
        }
    ]
    sent = {"carrier": "PostNL", "tracking_number": "3S1", "tracking_url": "https://x.example"}
    assert answer["fulfillments"] == [
        {
            "id": str(fulfillment.pk),
            "state": "ready",
            "location_id": str(fulfillment.location_id),
            "parcels": [{"id": str(parcel.pk), "shipped_at": moment(parcel.shipped_at)} | sent],
        }
    ]
    assert answer["lines"][0]["product_id"] == order.lines.get().product_id


def test_reading_an_order_takes_as_many_statements_whatever_it_has(shop, token):
    small = make_order(shop=shop)
    large = make_order(shop=shop, lines=[{} for _ in range(20)])
    for order in (small, large):
        make_parcel(fulfillment=make_fulfillment(order=order))
    make_parcel(fulfillment=make_fulfillment(order=large))
    counts = [statements(lambda pk=order.pk: read(token, pk)) for order in (small, large)]
    assert counts[0] == counts[1]


def test_tags_notes_and_destination_can_be_changed(token):
    order = placed(token, **WHOLE)
    there = {"first_name": "Cem", "city": "Gouda", "country": "NL"}
    answer = change(token, order, tags=["late"], notes="", destination=there)
    assert said(answer) == (200, read(token, order))
    assert read(token, order) == answer.json()
    changed = {name: answer.json()[name] for name in ("tags", "notes", "destination", "version")}
    assert changed == {"tags": ["late"], "notes": "", "destination": there, "version": 2}
    assert change(token, order).json()["version"] == 2


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"lines": [HAT]}, ["lines"]),
        ({"number": "#2", "notes": "x", "total": "1"}, ["number", "total"]),
        ({"state": "fulfilled"}, ["state"]),
        ({"destination": {"street": "Main"}}, ["destination.street"]),
        ({"tags": None}, ["tags"]),
        ({"notes": None}, ["notes"]),
    ],
)
def test_an_update_that_touches_anything_else_is_refused(changes, named, token):
    order = placed(token, **WHOLE)
    before = read(token, order)
    assert wrong(change(token, order, **changes)) == named
    assert read(token, order) == before


def test_why_a_line_cannot_be_changed_is_said(token):
    (detail,) = change(token, placed(token), lines=[HAT]).json()["details"]
    assert detail["message"] == "This cannot be changed any more: cancel the order and create it again."


def test_an_order_that_is_shipped_cannot_be_changed(shop, token):
    order = make_order(shop=shop, state="fulfilled")
    assert said(change(token, order.pk, notes="x")) == (422, "order_already_fulfilled")


def test_cancelling_an_open_order_frees_what_it_reserved(shop, token):
    order = make_order(shop=shop)
    make_fulfillment(order=order)
    product = order.lines.get().product
    assert reserved(product) == 2
    assert said(cancel(token, order.pk)) == (204, None)
    assert (read(token, order.pk)["state"], reserved(product)) == ("cancelled", 0)
    assert said(cancel(token, order.pk)) == (204, None)
    assert of_goods().filter(type="order.cancelled").count() == 1


def reserved(product) -> int:
    return sum(StockLevel.objects.filter(product=product).values_list("reserved", flat=True))


def test_an_order_that_is_being_picked_or_has_left_is_not_cancelled(shop, token):
    picking, shipped = make_order(shop=shop), make_order(shop=shop)
    make_fulfillment(order=picking, state=Fulfillment.State.PICKING)
    OrderLine.objects.filter(order=shipped).update(shipped=2)
    assert said(cancel(token, picking.pk)) == (422, "picking_in_progress")
    assert said(cancel(token, shipped.pk)) == (422, "order_already_fulfilled")


def test_no_body_breaks_it(token, monkeypatch):
    """Random JSON made of the words of an order: taken or refused, never a 500, and never half of it."""
    monkeypatch.setattr(limits, "CALLS_OF_A_SHOP", limits.CALLS)  # more at once than a shop may, on a fast machine
    chance = random.Random(5)
    order = placed(token, ext_order_id="first")
    taken = 1
    for _ in range(20):
        body = anything(chance)
        answers = [
            call("POST", "v1/orders", body, token=token),
            call("PUT", f"v1/orders/{order}", body, token=token),
            bulk(token, body, body),
            call("POST", "v1/orders/bulk", body, token=token),
        ]
        assert {answer.status_code for answer in answers} <= {200, 400, 422}, json.dumps(body)
        taken += answers[0].status_code == 200
    assert taken > 1
    assert Order.objects.count() >= taken


WORDS = sorted(WHOLE) + sorted(WHOLE["lines"][0]) + sorted(WHOLE["destination"]) + ["orders"]
VALUES = ["", "x", "\N{TOP HAT}" * 300, 0, 1, -1, 2**70, 1e308, 0.1, True, None, "2026-01-31T12:00:00Z", "NL", "EUR"]


def anything(chance: random.Random):
    """An order with some of its fields exchanged for whatever there is, some of them deep inside."""
    body = json.loads(json.dumps(WHOLE)) | {"ext_order_id": str(chance.random())}
    for _ in range(chance.randrange(3)):
        part = chance.choice([body, body, body.get("destination"), *lines_of(body)])
        if isinstance(part, dict):
            part[chance.choice(WORDS)] = chance.choice([*VALUES, [], {}, [chance.choice(VALUES)]])
    return chance.choice([body, body, body, chance.choice(VALUES), [body]])


def lines_of(body) -> list:
    return body["lines"] if isinstance(body.get("lines"), list) else []
