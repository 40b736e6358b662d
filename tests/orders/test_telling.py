"""Who hears of orders and fulfilments, and what they are told: never whose they are."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import pytest

from apps.audit.trail import Actor
from apps.catalog.models import Location
from apps.integrations.connectors.orders import Tracking
from apps.orders import changing, fulfilling, telling
from apps.orders.models import Fulfillment, FulfillmentLine, Order, OrderLine
from apps.webhooks import schemas, wording
from apps.webhooks.models import Event
from tests.factories import make_fulfillment, make_location, make_order, make_parcel, make_product, make_shop
from tests.webhooks.hearing import World, audience, compare, fits, make_world

from .goods import handed, line_ids

pytestmark = pytest.mark.django_db
ANN = {
    "first_name": "Ann", "last_name": "de Vries", "address1": "Main Street 1", "zip": "2611 AA", "city": "Delft",
    "country": "NL", "phone": "+31 6 1", "email": "ann@mail.example",
}  # fmt: skip
NOON, AT_NOON = datetime(2026, 11, 21, 12, tzinfo=UTC), "2026-11-21T12:00:00.000Z"


@pytest.fixture
def world() -> World:
    return make_world()


def ordered(world: World) -> None:
    for name in ("first", "second", "store"):
        make_order(shop=getattr(world, name), number=name)
    make_order(number="theirs")


def test_of_an_order_hears_whoever_may_see_it(world):
    ordered(world)
    assert compare("order", Order.objects.all(), world.principals) == {
        "first": {"first"},
        "second": {"second"},
        "partner": {"first", "second"},
        "wms": set(),
        "other wms": set(),
        "wide": {"first", "second", "store"},
        "stranger": set(),
        "strange wide": set(),
    }


def test_of_a_fulfillment_hears_its_orders_shop_and_its_warehouse(world):
    ordered(world)
    by_hand = make_location(organization=world.organization, name="Shelf")
    grid = make_location(integration=world.wms, kind=Location.Kind.EXTERNAL, name="Grid")
    for order in Order.objects.filter(organization=world.organization):
        for place in (by_hand, grid):
            make_fulfillment(order=order, location=place)
    make_fulfillment(order=Order.objects.get(number="theirs"))
    rows = Fulfillment.objects.select_related("order", "location")
    first, second, store = ({f"{name} at Grid", f"{name} at Shelf"} for name in ("first", "second", "store"))
    assert compare("fulfillment", rows, world.principals) == {
        "first": first,
        "second": second,
        "partner": first | second,
        "wms": {"first at Grid", "second at Grid", "store at Grid"},
        "other wms": set(),
        "wide": first | second | store,
        "stranger": set(),
        "strange wide": set(),
    }


def test_an_order_is_told_with_its_lines_and_without_whose_it_is():
    shop = make_shop()
    hat = make_product(organization=shop.organization, sku="HAT-1")
    lines = [
        {"sku": "HAT-1", "product": hat, "quantity": 2, "ext_line_id": "a", "price": Decimal("9.9900")},
        {"sku": "NOBODYS", "quantity": 1, "ext_line_id": "b"},
    ]
    order = make_order(
        shop=shop, lines=lines, ext_order_id="1001", number="#1001", destination=ANN, customer={"name": "Bob Vance"},
        email="ann@mail.example", notes="Ring at Ann's door", tags=["gift"], shipping_method="Express", currency="EUR",
        total=Decimal("21.50"), placed_at=NOON,
    )  # fmt: skip
    Order.objects.filter(pk=order.pk).update(created_at=NOON, updated_at=NOON)
    one, other = (line.pk for line in order.lines.all())
    told = telling.orders([str(order.pk)])[str(order.pk)]
    assert told == {
        "id": str(order.pk),
        "shop_id": str(shop.pk),
        "ext_order_id": "1001",
        "ext_fulfillment_order_id": "",
        "number": "#1001",
        "state": "new",
        "tags": ["gift"],
        "shipping_method": "Express",
        "currency": "EUR",
        "total": "21.5",
        "priority": 0,
        "placed_at": AT_NOON,
        "created_at": AT_NOON,
        "updated_at": AT_NOON,
        "cancel_requested_at": None,
        "cancelled_at": None,
        "version": 1,
        "line_count": 2,
        "lines": [
            {
                "id": one, "ext_line_id": "a", "sku": "HAT-1", "product_id": hat.pk, "quantity": 2, "shipped": 0,
                "cancelled": 0, "price": "9.99",
            },
            {
                "id": other, "ext_line_id": "b", "sku": "NOBODYS", "product_id": None, "quantity": 1, "shipped": 0,
                "cancelled": 0, "price": None,
            },
        ],
    }  # fmt: skip


def test_what_an_event_of_an_order_says_in_the_end_is_as_its_schema_has_it():
    order = make_order(destination=ANN)
    changing.settle(changing.lock(order.pk), tags=["gift"])
    event = Event.objects.get(type="order.updated")
    assert fits(telling.orders([event.entity_id])[event.entity_id] | event.data, schemas.ORDER) == []


def test_a_fulfillment_is_told_with_its_lines_and_what_has_left():
    one = handed(3, by_hand=True, order={"destination": ANN, "ext_order_id": "1001", "number": "#1001"})
    fulfilling.ship(
        one, by=Actor("Anna"), pieces={line_ids(one)[0]: 2}, tracking=Tracking("DHL", "3S1", "https://t.example/1"),
        shipped_at=NOON,
    )  # fmt: skip
    Fulfillment.objects.filter(pk=one.pk).update(created_at=NOON, updated_at=NOON)
    parcel, line = one.parcels.get(), one.order.lines.get()
    told = telling.fulfillments([str(one.pk)])[str(one.pk)]
    assert told == {
        "id": str(one.pk),
        "order_id": str(one.order_id),
        "ext_order_id": "1001",
        "ext_fulfillment_order_id": "",
        "number": "#1001",
        "shop_id": str(one.order.shop_id),
        "location_id": str(one.location_id),
        "location_name": one.location.name,
        "state": "picking",
        "reason": "",
        "service": "",
        "service_name": "",
        "version": 2,
        "created_at": AT_NOON,
        "updated_at": AT_NOON,
        "finished_at": None,
        "line_count": 1,
        "lines": [
            {
                "line_id": line.pk, "ext_line_id": "0", "sku": line.sku, "product_id": line.product_id, "quantity": 3,
                "shipped": 2,
            },
        ],
        "parcel_count": 1,
        "parcels": [
            {
                "id": str(parcel.pk),
                "carrier": "DHL",
                "tracking_number": "3S1",
                "tracking_url": "https://t.example/1",
                "shipped_at": AT_NOON,
                "lines": [{"line_id": line.pk, "ext_line_id": "0", "sku": line.sku, "quantity": 2}],
            }
        ],
    }  # fmt: skip
    fulfilling.ship(one, by=Actor("Anna"))
    event = Event.objects.filter(type="fulfillment.updated").latest("id")
    assert fits(telling.fulfillments([event.entity_id])[event.entity_id] | event.data, schemas.FULFILLMENT) == []


def test_nobodys_name_or_address_is_in_what_is_told():
    one = make_fulfillment(order=make_order(destination=ANN, customer={"name": "Bob Vance"}, email=ANN["email"]))
    make_parcel(fulfillment=one)
    told = [telling.orders([str(one.order_id)]), telling.fulfillments([str(one.pk)])]
    said = json.dumps(told)
    assert [word for word in (*ANN.values(), "Bob Vance") if f'"{word}"' in said or f" {word}" in said] == []


def test_of_what_is_gone_nobody_hears():
    gone = str(uuid4())
    assert (telling.orders([gone]), telling.fulfillments([gone])) == ({}, {})
    assert audience("order", [gone]) == audience("fulfillment", [gone]) == {gone: set()}


@pytest.mark.parametrize("many", [1, 500])
def test_many_are_described_with_few_statements(django_assert_num_queries, many):
    shop = make_shop()
    own = {"organization": shop.organization}
    place, product = make_location(**own), make_product(**own)
    orders = Order.objects.bulk_create(
        Order(**own, integration=shop.integration, shop=shop, ext_order_id=str(n), number=str(n)) for n in range(many)
    )
    lines = OrderLine.objects.bulk_create(
        OrderLine(**own, order=order, position=0, sku="HAT-1", quantity=1) for order in orders
    )
    fulfillments = Fulfillment.objects.bulk_create(Fulfillment(**own, order=order, location=place) for order in orders)
    FulfillmentLine.objects.bulk_create(
        FulfillmentLine(**own, fulfillment=one, order_line=line, product=product, quantity=1)
        for one, line in zip(fulfillments, lines, strict=True)
    )
    with django_assert_num_queries(2):
        assert len(telling.orders([str(order.pk) for order in orders])) == many
    with django_assert_num_queries(3):
        assert len(telling.fulfillments([str(one.pk) for one in fulfillments])) == many


def test_of_very_many_lines_the_first_are_told():
    order = make_order(lines=[])
    own = {"organization": order.organization, "order": order}
    long = {"sku": "S" * 255, "ext_line_id": "L" * 255, "quantity": 1}
    OrderLine.objects.bulk_create(OrderLine(**own, position=n, **long) for n in range(1000))
    told = telling.orders([str(order.pk)])[str(order.pk)]
    assert (told["line_count"], 0 < len(told["lines"]) < 200) == (1000, True)
    assert told["lines"][0]["id"] == order.lines.first().pk
    assert len(json.dumps(told["lines"])) <= wording.LONGEST_LIST + 2 * len(told["lines"])


def test_of_very_many_parcels_the_newest_are_told():
    one = make_fulfillment()
    for n in range(60):
        make_parcel(fulfillment=one, tracking_number=str(n), tracking_url="https://t.example/" + "u" * 1900)
    told = telling.fulfillments([str(one.pk)])[str(one.pk)]
    numbers = [int(parcel["tracking_number"]) for parcel in told["parcels"]]
    assert (told["parcel_count"], numbers) == (60, list(range(60 - len(numbers), 60)))
    assert 20 < len(numbers) < 60


def test_the_words_of_the_schemas_are_the_models():
    assert list(schemas.ORDER_STATES) == Order.State.values
    assert list(schemas.FULFILLMENT_STATES) == Fulfillment.State.values
