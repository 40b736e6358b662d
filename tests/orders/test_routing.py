"""Where orders are shipped from (Pipe17: contracts 2.8), what is reserved, and who is told."""

import pytest

from apps.catalog.models import Location, StockLevel
from apps.orders.models import Fulfillment, Order
from apps.orders.sorting import sort
from tests.factories import (
    make_custom_integration,
    make_level,
    make_location,
    make_order,
    make_product,
    make_routing_rule,
    make_shipping_method,
    make_warehouse,
)

pytestmark = pytest.mark.django_db

ROUTE = {"kind": "route", "priority": 0}


@pytest.fixture
def order():
    """Two hats and a cap."""
    made = make_order(lines=[])
    for position, (sku, quantity) in enumerate([("HAT", 2), ("CAP", 1)]):
        product = make_product(organization=made.organization, sku=sku)
        made.lines.create(
            organization=made.organization, position=position, sku=sku, quantity=quantity, product=product
        )
    return made


def stocked(order, location=None, hats=10, caps=10, **fields):
    """A location with so many of each."""
    location = location or make_location(organization=order.organization, **fields)
    for line, pieces in zip(order.lines.all(), (hats, caps), strict=True):
        make_level(product=line.product, location=location, on_hand=pieces)
    return location


def sorted_out(order):
    """State, hindrances, and the pieces of each SKU at each place."""
    sort(order.pk)
    order.refresh_from_db()
    rows = Fulfillment.objects.filter(order=order).order_by("location__name")
    given = {one.location.name: dict(one.lines.values_list("product__sku", "quantity")) for one in rows}
    return order.state, list(order.hindrances.values_list("code", "ref", "who")), given


ALL = {"HAT": 2, "CAP": 1}


def test_without_a_rule_the_oldest_place_that_has_everything_ships(order):
    stocked(order, name="a", hats=1)
    stocked(order, name="b")
    stocked(order, name="c")
    assert sorted_out(order) == ("ready", [], {"b": ALL})
    assert list(StockLevel.objects.order_by("location__name", "pk").values_list("reserved", flat=True)) == [
        0,
        0,
        2,
        1,
        0,
        0,
    ]


def test_an_organizations_own_places_come_before_the_3pls(order):
    stocked(order, name="3pl", shared=True)
    stocked(order, name="own")
    assert sorted_out(order) == ("ready", [], {"own": ALL})


def test_the_3pls_places_ship_when_no_own_one_can(order):
    stocked(order, name="3pl", shared=True)
    assert sorted_out(order) == ("ready", [], {"3pl": ALL})


def test_an_order_is_not_divided_unless_a_rule_says_so(order):
    stocked(order, name="a", caps=0)
    stocked(order, name="b", hats=0)
    state, hindrances, given = sorted_out(order)
    named = {str(line.product_id) for line in order.lines.all()}
    assert (state, {ref for _code, ref, _who in hindrances}, given) == ("pending_stock", named, {})
    assert not StockLevel.objects.filter(reserved__gt=0).exists()


def test_rules_that_may_split_divide_it_in_their_order(order):
    one, other = stocked(order, name="a", hats=1, caps=0), stocked(order, name="b", hats=5, caps=5)
    StockLevel.objects.filter(location=other, product__sku="HAT").update(on_hand=1)
    for position, location in enumerate((one, other)):
        make_routing_rule(
            organization=order.organization, location=location, position=position, may_split=True, **ROUTE
        )
    assert sorted_out(order) == ("ready", [], {"a": {"HAT": 1}, "b": {"HAT": 1, "CAP": 1}})
    reserved = StockLevel.objects.order_by("location__name", "pk").values_list("reserved", flat=True)
    assert list(reserved) == [1, 0, 1, 1]


def test_a_rule_whose_place_has_everything_is_preferred_to_dividing(order):
    one, other = stocked(order, name="a", hats=1), stocked(order, name="b")
    for position, location in enumerate((one, other)):
        make_routing_rule(
            organization=order.organization, location=location, position=position, may_split=True, **ROUTE
        )
    assert sorted_out(order) == ("ready", [], {"b": ALL})


def test_the_first_rule_that_fits_counts(order):
    first, second, third = (stocked(order, name=name) for name in "abc")
    own = {"organization": order.organization} | ROUTE
    make_routing_rule(position=3, location=third, **own)
    make_routing_rule(position=1, location=first, countries=["BE"], **own)
    make_routing_rule(position=2, location=second, countries=["NL"], **own)
    assert sorted_out(order) == ("ready", [], {"b": ALL})


def test_a_rule_that_fits_keeps_the_order_from_other_places(order):
    make_routing_rule(organization=order.organization, location=stocked(order, name="a", hats=0), **ROUTE)
    stocked(order, name="b")
    hat = str(order.lines.get(sku="HAT").product_id)
    assert sorted_out(order) == ("pending_stock", [("out_of_stock", hat, "nobody")], {})


def test_a_rule_that_is_switched_off_says_nothing(order):
    place = stocked(order, name="a", hats=0)
    make_routing_rule(organization=order.organization, location=place, is_active=False, **ROUTE)
    stocked(order, name="b")
    assert sorted_out(order) == ("ready", [], {"b": ALL})


@pytest.mark.parametrize(
    "unusable",
    [{"is_active": False}, {"is_paused": True}, {"excluded_from_totals": True}, {"kind": Location.Kind.EXTERNAL}],
)
def test_a_place_that_cannot_ship_is_none(order, unusable):
    stocked(order, name="a", **unusable)
    assert sorted_out(order) == ("waiting", [("no_location", "", "operator")], {})


@pytest.mark.parametrize("fields", [{"state": "needs_reconnect"}, {"state": "disabled"}, {"connector": "gone"}])
def test_an_integration_that_is_not_at_work_ships_nothing(order, fields):
    integration = make_warehouse(organization=order.organization).integration
    place = integration.locations.get()
    stocked(order, place)
    for name, value in fields.items():
        setattr(integration, name, value)
    integration.save()
    assert sorted_out(order) == ("waiting", [("no_location", "", "operator")], {})


def test_another_organizations_place_is_never_chosen(order):
    make_level(location=make_location(name="theirs"))
    assert sorted_out(order) == ("waiting", [("no_location", "", "operator")], {})


def test_a_warehouse_that_takes_orders_is_owed_it(order):
    warehouse = make_warehouse(organization=order.organization)
    stocked(order, warehouse.integration.locations.get())
    sort(order.pk)
    made = Fulfillment.objects.get()
    assert (made.integration, made.owes, made.state, made.tries) == (warehouse.integration, "send", "ready", 0)
    assert made.due_at is not None


def test_a_warehouse_that_asks_us_is_owed_nothing(order):
    integration = make_custom_integration(organization=order.organization)
    stocked(order, make_location(integration=integration, kind="external"))
    sort(order.pk)
    made = Fulfillment.objects.get()
    assert (made.integration, made.owes, made.due_at) == (integration, "", None)


def test_the_method_is_said_in_the_words_of_the_warehouse(order):
    integration = make_custom_integration(organization=order.organization)
    stocked(order, make_location(integration=integration, kind="external"))
    make_shipping_method(integration=integration, name="Express", code="DHL-X")
    Order.objects.update(shipping_method="Express")
    sort(order.pk)
    made = Fulfillment.objects.get()
    assert (made.service, made.service_name, made.is_fallback) == ("DHL-X", "DHL-X", False)


def test_a_method_that_means_nothing_there_holds_the_order_and_reserves_nothing(order):
    integration = make_custom_integration(organization=order.organization)
    stocked(order, make_location(integration=integration, kind="external", name="dock"))
    make_shipping_method(integration=integration, name="Express", code="DHL-X")
    Order.objects.update(shipping_method="Drone")
    assert sorted_out(order) == ("waiting", [("unmapped_shipping_method", "Drone", "operator")], {})
    assert order.hindrances.get().detail == {"locations": ["dock"]}
    assert not StockLevel.objects.filter(reserved__gt=0).exists()


def test_lines_of_one_product_are_reserved_together():
    order = make_order(lines=[])
    product = make_product(organization=order.organization, sku="HAT")
    for position in range(2):
        order.lines.create(organization=order.organization, position=position, sku="HAT", quantity=3, product=product)
    level = make_level(product=product, on_hand=5)
    assert sorted_out(order)[0] == "pending_stock"
    StockLevel.objects.update(on_hand=6)
    sort(order.pk)
    level.refresh_from_db()
    assert (level.reserved, list(Fulfillment.objects.get().lines.values_list("quantity", flat=True))) == (6, [3, 3])


def test_only_what_is_wanted_of_a_line_is_shipped(order):
    stocked(order, name="a")
    order.lines.filter(sku="HAT").update(cancelled=1)
    order.lines.filter(sku="CAP").update(cancelled=1)
    assert sorted_out(order) == ("ready", [], {"a": {"HAT": 1}})


def test_who_is_quicker_gets_the_last_piece(order, monkeypatch):
    """Between looking and reserving somebody else took it: nothing is half reserved."""
    stocked(order, name="a")
    monkeypatch.setattr("apps.orders.routing.stocking.reserve", lambda *args, **kwargs: False)
    state, hindrances, given = sorted_out(order)
    assert (state, len(hindrances), given) == ("pending_stock", 2, {})
