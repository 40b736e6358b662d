"""What becomes of orders in the background: kept, held, waiting, routed (behaviours 73 and 74)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.api.errors import Problem
from apps.integrations.connectors.orders import Address, RemoteLine, RemoteOrder
from apps.orders import nudging, routing, sorting
from apps.orders.intake import take_in
from apps.orders.models import Entry, Fulfillment, Order
from apps.orders.sorting import route_again, sort, sort_due, sweep
from apps.orders.timeline import ITSELF
from tests.factories import (
    make_fulfillment,
    make_hindrance,
    make_level,
    make_location,
    make_order,
    make_product,
    make_shop,
)
from tests.happenings import of_goods

pytestmark = pytest.mark.django_db

TO_ANN = Address(last_name="de Vries", address1="Main Street 1", city="Delft", zip="2611 AA", country="NL")


TO_BEN = {"company": "Ben", "address1": "Main Street 2", "city": "Delft", "zip": "2611 AA", "country": "NL"}


def hindrances(order):
    return list(order.hindrances.order_by("code", "ref").values_list("code", "ref", "who"))


def kinds(order):
    return list(order.entries.values_list("kind", flat=True))


def bought(sku, n, **fields):
    return RemoteOrder(ext_order_id=str(n), lines=(RemoteLine(sku, 1),), destination=TO_ANN, **fields)


def unheld_shop():
    shop = make_shop()
    shop.integration.order_hold_seconds = 0
    shop.integration.save()
    return shop


def test_an_order_is_routed_in_the_background_and_its_stock_reserved():
    order = make_order()
    line = order.lines.get()
    level = make_level(product=line.product)
    assert not Fulfillment.objects.exists()
    sort_due()
    order.refresh_from_db()
    level.refresh_from_db()
    made = Fulfillment.objects.get()
    assert (order.state, order.due_at, hindrances(order), kinds(order)) == ("ready", None, [], ["routed"])
    assert (made.location, made.state, made.owes) == (level.location, "ready", "")
    assert list(made.lines.values_list("order_line", "product", "quantity")) == [(line.pk, line.product_id, 2)]
    assert (level.on_hand, level.reserved, level.available) == (10, 2, 8)
    assert list(of_goods().order_by("pk").values_list("type", "entity_id").exclude(entity="stock_level")) == [
        ("fulfillment.created", str(made.pk)),
        ("order.updated", str(order.pk)),
    ]


def test_an_order_is_held_until_its_time_and_goes_then():
    order = make_order(release_at=timezone.now() + timedelta(minutes=10))
    make_level(product=order.lines.get().product)
    sort_due()
    order.refresh_from_db()
    assert (order.state, order.due_at, kinds(order)) == ("on_hold", order.release_at, ["held"])
    assert sort_due() == 0
    then = timezone.now()
    Order.objects.update(release_at=then, due_at=then)
    sort_due()
    order.refresh_from_db()
    assert (order.state, order.due_at, kinds(order)) == ("ready", None, ["held", "released", "routed"])


def test_what_is_missing_is_said_while_it_is_held_and_holds_it_longer():
    order = make_order(lines=[{"sku": "NOBODYS"}], release_at=timezone.now() + timedelta(minutes=10))
    sort_due()
    order.refresh_from_db()
    assert (order.state, order.due_at) == ("waiting", None)
    assert hindrances(order) == [("unknown_sku", "NOBODYS", "owner")]


def test_an_order_waits_with_all_its_reasons_at_once():
    lines = [{"sku": "A"}, {"sku": "B"}, {"sku": "A"}]
    order = make_order(lines=lines, destination={"first_name": "Ann", "city": "Delft", "country": "NL"})
    sort_due()
    order.refresh_from_db()
    assert (order.state, order.due_at, kinds(order)) == ("waiting", None, ["waiting"])
    assert hindrances(order) == [
        ("incomplete_address", "address1", "owner"),
        ("incomplete_address", "zip", "owner"),
        ("unknown_sku", "A", "owner"),
        ("unknown_sku", "B", "owner"),
    ]


def test_reasons_that_stay_keep_their_time_and_are_told_once():
    order = make_order(lines=[{"sku": "A"}, {"sku": "B"}])
    sort_due()
    since = order.hindrances.get(ref="A").since
    make_product(organization=order.organization, sku="B")
    sort(order.pk)
    sort(order.pk)
    assert (hindrances(order), order.hindrances.get().since) == ([("unknown_sku", "A", "owner")], since)
    assert kinds(order) == ["waiting", "resolved"]
    assert list(order.entries.values_list("data__reasons", flat=True)) == [
        [["unknown_sku", "A"], ["unknown_sku", "B"]],
        [["unknown_sku", "B"]],
    ]


def test_without_stock_an_order_waits_for_stock():
    order = make_order()
    product = order.lines.get().product
    level = make_level(product=product, on_hand=1)
    sort_due()
    order.refresh_from_db()
    level.refresh_from_db()
    assert (order.state, order.due_at, level.reserved) == ("pending_stock", None, 0)
    assert hindrances(order) == [("out_of_stock", str(product.pk), "nobody")]
    assert order.hindrances.get().detail == {"sku": product.sku, "pieces": 2}


def test_an_order_of_which_nothing_is_ours_is_over():
    order = make_order(lines=[{"sku": "A", "cancelled": 1}])
    sort_due()
    order.refresh_from_db()
    assert (order.state, order.due_at) == ("not_ours", None)


@pytest.mark.parametrize(
    "fields", [{"state": "cancelled", "cancelled_at": timezone.now()}, {"cancel_requested_at": timezone.now()}]
)
def test_nothing_is_decided_about_an_order_that_is_to_be_cancelled(fields):
    order = make_order(**fields)
    make_level(product=order.lines.get().product)
    sort_due()
    order.refresh_from_db()
    assert (order.due_at, kinds(order), Fulfillment.objects.count()) == (None, [], 0)


def test_an_order_of_an_organization_that_is_switched_off_is_left_alone():
    order = make_order()
    order.organization.is_active = False
    order.organization.save()
    assert sort_due() == 0


def test_a_bug_in_one_order_stops_no_other_and_is_tried_again(monkeypatch):
    shop = unheld_shop()
    make_level(product=make_product(organization=shop.organization, sku="HAT"))
    take_in(shop, [bought("HAT", 1, notes="odd"), bought("HAT", 2)])

    def route(case, desk):
        if case.order.notes == "odd":
            raise ZeroDivisionError
        return real(case, desk)

    real = routing.route
    monkeypatch.setattr(routing, "route", route)
    sort_due()
    odd, even = Order.objects.order_by("ext_order_id")
    assert (odd.state, odd.tries, even.state) == ("waiting", 1, "ready")
    assert (hindrances(odd), odd.hindrances.get().detail) == ([("bug", "", "operator")], {"error": "ZeroDivisionError"})
    assert 8 < (odd.due_at - timezone.now()).total_seconds() < 12
    assert list(Entry.objects.filter(order=odd).values_list("kind", "is_internal")) == [("bug", True)]
    monkeypatch.setattr(routing, "route", real)
    sort(odd.pk)
    odd.refresh_from_db()
    assert (odd.state, odd.tries, hindrances(odd), odd.due_at) == ("ready", 0, [], None)


def test_what_changes_while_an_order_is_looked_at_is_seen_by_a_second_look(monkeypatch):
    """Its nudge is heeded before the order's hindrance is written: only looking again can find it."""
    order = make_order(lines=[{"sku": "A"}])
    real, looks = routing.Desk.rules, []

    def rules(desk, about):
        looks.append(about)
        if len(looks) == 1:
            level = make_level(product=make_product(organization=order.organization, sku="A"))
            level.location.save()
            nudging.heed()
        return real(desk, about)

    monkeypatch.setattr(routing.Desk, "rules", rules)
    sort_due()
    order.refresh_from_db()
    assert (order.state, kinds(order)) == ("ready", ["waiting", "routed", "resolved"])


def test_a_change_of_the_order_itself_while_it_is_looked_at_counts(monkeypatch):
    order = make_order(destination={})
    make_level(product=order.lines.get().product)
    real = sorting.resolving.resolve

    def resolve(orders):
        real(orders)
        then = timezone.now()
        Order.objects.filter(pk=order.pk, destination={}).update(destination=TO_BEN, due_at=then)

    monkeypatch.setattr(sorting.resolving, "resolve", resolve)
    sort_due()
    order.refresh_from_db()
    assert (order.state, kinds(order)) == ("ready", ["routed"])


def test_what_a_warehouse_refused_waits_until_somebody_asks_for_it():
    order = make_order()
    place = make_location(organization=order.organization)
    make_fulfillment(order=order, location=place, state="rejected")
    make_level(product=order.lines.get().product, location=make_location(organization=order.organization), on_hand=2)
    make_hindrance(order=order, code="rejected_by_warehouse", ref="x", who="operator")
    sort(order.pk)
    assert (Fulfillment.objects.live().count(), hindrances(order)) == (0, [("rejected_by_warehouse", "x", "operator")])
    again = route_again(order, by=ITSELF)
    assert (again.state, hindrances(order), Fulfillment.objects.live().count()) == ("ready", [], 1)
    assert kinds(order) == ["route_again", "routed"]


def test_only_what_no_warehouse_is_at_work_on_is_routed_again():
    order = make_order(lines=None)
    line = order.lines.get()
    order.lines.update(shipped=1)
    make_level(product=line.product)
    again = route_again(order, by=ITSELF)
    assert (again.state, list(Fulfillment.objects.values_list("lines__quantity"))) == ("partly_fulfilled", [(1,)])
    with pytest.raises(Problem, match="conflict"):
        route_again(order, by=ITSELF)


def test_a_sweep_looks_again_at_what_waits():
    order = make_order()
    location = make_location(organization=order.organization)
    sort_due()
    make_level(product=order.lines.get().product, location=location)
    assert (sort_due(), sweep(), sort_due()) == (0, 1, 1)
    order.refresh_from_db()
    assert order.state == "ready"


@pytest.mark.parametrize("count", [10, 20])
def test_many_orders_take_so_many_statements_each(count):
    shop = unheld_shop()
    make_level(product=make_product(organization=shop.organization, sku="HAT"), on_hand=2_000)
    take_in(shop, [bought("HAT", n) for n in range(count)])
    with CaptureQueriesContext(connection) as asked:
        sort_due()
    assert len(asked) <= 25 * count + 25
