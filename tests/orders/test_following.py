"""What a platform says of an order that we have is followed, as far as a warehouse still lets it."""

from dataclasses import replace
from decimal import Decimal

import pytest

from apps.audit.trail import Actor
from apps.catalog.models import StockLevel
from apps.integrations.connectors.orders import Address, RemoteLine, RemoteOrder
from apps.orders import sentences
from apps.orders.following import follow
from apps.orders.intake import take_in
from apps.orders.models import Entry, Fulfillment, Hindrance, Order
from tests.factories import make_fulfillment, make_integration, make_location, make_product, make_shop
from tests.happenings import of_goods

pytestmark = pytest.mark.django_db

PLATFORM = Actor("Otter: Great Hats")
TO_ANN = Address(
    first_name="Ann", address1="Main St 1", city="Delft", zip="2611", country="NL", email="ann@example.com"
)
HAT = RemoteLine(sku="HAT-1", quantity=2, ext_line_id="a", ext_product_id="p1", price=Decimal("20"))
CAP = RemoteLine(sku="CAP-1", quantity=1, ext_line_id="b", ext_product_id="p2", price=Decimal("5"))
BOUGHT = RemoteOrder(
    ext_order_id="1001",
    lines=(HAT, CAP),
    number="#1001",
    destination=TO_ANN,
    shipping_method="Standard",
    tags=("gift",),
    notes="Ring twice",
    total=Decimal("45"),
)
MOVED = replace(BOUGHT, destination=replace(TO_ANN, city="Leiden"))
State, Owes = Fulfillment.State, Fulfillment.Owes


@pytest.fixture
def order() -> Order:
    """As it was bought, its lines resolved."""
    shop = make_shop()
    take_in(shop, [BOUGHT], source=Order.Source.PULLED)
    made = Order.objects.get()
    for line in made.lines.all():
        line.product = make_product(organization=shop.organization, sku=line.sku)
        line.save()
    return made


def at_warehouse(order: Order, **fields) -> Fulfillment:
    """All of it, at a warehouse that is called."""
    pio = make_integration(organization=order.organization, connector="pio")
    place = make_location(organization=order.organization, integration=pio)
    return make_fulfillment(order=order, location=place, **{"state": State.SENT, "fence": 1} | fields)


def lines(order: Order) -> list[tuple[str, int, int, bool]]:
    rows = order.lines.values_list("sku", "quantity", "cancelled", "product")
    return [(sku, quantity, cancelled, product is not None) for sku, quantity, cancelled, product in rows]


def fresh(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def flags(order: Order) -> list[tuple[str, dict]]:
    return list(order.hindrances.values_list("code", "detail"))


def test_the_same_again_writes_nothing(order):
    before = Order.objects.values().get()
    assert follow(order, BOUGHT, by=PLATFORM) is False
    assert (Order.objects.values().get(), of_goods().count(), Entry.objects.count()) == (before, 1, 0)


def test_what_no_warehouse_has_becomes_what_it_is_there_and_is_looked_at_anew(order):
    Order.objects.update(due_at=None)
    told = replace(
        MOVED,
        lines=(replace(HAT, quantity=3), RemoteLine(sku="SCARF-1", quantity=1, ext_line_id="c")),
        shipping_method="Express",
        total=Decimal("60"),
    )
    assert follow(order, told, by=PLATFORM) is True
    now = fresh(order)
    assert (now.destination["city"], now.shipping_method, now.total, now.version) == ("Leiden", "Express", 60, 2)
    assert now.due_at is not None
    [entry] = Entry.objects.all()
    assert (entry.kind, entry.data) == ("edited", {"fields": ["destination", "lines", "shipping_method"]})
    assert sentences.of(entry.kind, entry.data) == "Changed. address, products, shipping method"
    assert lines(order) == [("HAT-1", 3, 0, True), ("CAP-1", 1, 1, True), ("SCARF-1", 1, 0, False)]
    assert follow(order, told, by=PLATFORM) is False


def test_a_line_that_comes_back_is_wanted_again(order):
    follow(order, replace(BOUGHT, lines=(HAT,)), by=PLATFORM)
    follow(order, BOUGHT, by=PLATFORM)
    assert lines(order) == [("HAT-1", 2, 0, True), ("CAP-1", 1, 0, True)]


def test_a_line_that_is_something_else_now_has_to_be_found_anew(order):
    follow(order, replace(BOUGHT, lines=(replace(HAT, sku="HAT-2"), CAP)), by=PLATFORM)
    assert lines(order) == [("HAT-2", 2, 0, False), ("CAP-1", 1, 0, True)]


def test_lines_without_ids_are_told_apart_by_their_order():
    shop = make_shop()
    nameless = replace(BOUGHT, lines=(replace(HAT, ext_line_id=""), replace(CAP, ext_line_id="")))
    take_in(shop, [nameless])
    order = Order.objects.get()
    follow(order, replace(nameless, lines=(nameless.lines[0], replace(nameless.lines[1], quantity=4))), by=PLATFORM)
    assert [row[:3] for row in lines(order)] == [("HAT-1", 2, 0), ("CAP-1", 4, 0)]


def test_tags_and_notes_that_people_gave_it_stay_when_the_platform_has_none(order):
    silent = replace(BOUGHT, tags=(), notes="", destination=replace(TO_ANN, city="Leiden"))
    follow(order, silent, by=PLATFORM)
    now = fresh(order)
    assert (now.tags, now.notes, now.destination["city"]) == (["gift"], "Ring twice", "Leiden")


@pytest.mark.parametrize("is_manual", [True, False])
def test_what_was_reserved_is_given_back_when_it_changes_before_anybody_began(order, is_manual):
    fulfillment = (
        make_fulfillment(order=order)
        if is_manual
        else at_warehouse(order, state=State.READY, fence=0, owes=Owes.SEND, due_at="2026-01-01T00:00:00Z")
    )
    assert set(StockLevel.objects.values_list("reserved", flat=True)) == {1, 2}
    follow(order, replace(BOUGHT, lines=(HAT,)), by=PLATFORM)
    fulfillment.refresh_from_db()
    assert (fulfillment.state, fulfillment.owes, fulfillment.due_at) == (State.CANCELLED, "", None)
    assert set(StockLevel.objects.values_list("reserved", flat=True)) == {0}
    assert flags(order) == []


@pytest.mark.parametrize("how", [{}, {"state": State.READY}, {"state": State.PICKING}])
def test_after_hand_over_what_can_still_change_is_passed_on(order, how):
    fulfillment = at_warehouse(order, **how)
    follow(order, replace(MOVED, notes="Do not ring"), by=PLATFORM)
    fulfillment.refresh_from_db()
    now = fresh(order)
    assert (now.destination["city"], now.notes) == ("Leiden", "Do not ring")
    assert (fulfillment.owes, fulfillment.due_at is not None) == (Owes.CHANGE, True)
    assert (lines(order), flags(order)) == ([("HAT-1", 2, 0, True), ("CAP-1", 1, 0, True)], [])


def test_after_hand_over_what_differs_is_flagged_and_the_lines_stay(order):
    fulfillment = at_warehouse(order)
    told = replace(BOUGHT, lines=(replace(HAT, quantity=3),), shipping_method="Express")
    follow(order, told, by=PLATFORM)
    differs = {"lines": {"CAP-1": [1, 0], "HAT-1": [2, 3]}, "shipping_method": ["Standard", "Express"]}
    assert flags(order) == [("edited_after_handover", differs)]
    fulfillment.refresh_from_db()
    assert (fulfillment.state, fulfillment.owes, fresh(order).shipping_method) == (State.SENT, "", "Standard")
    assert lines(order) == [("HAT-1", 2, 0, True), ("CAP-1", 1, 0, True)]
    entries = Entry.objects.filter(kind="edited_after_handover").values_list("actor", "data")
    assert list(entries) == [("Otter: Great Hats", differs)]
    follow(order, BOUGHT, by=PLATFORM)
    assert flags(order) == []


def test_people_who_pick_by_hand_have_begun_when_they_say_so(order):
    make_fulfillment(order=order, state=State.PICKING)
    follow(order, replace(BOUGHT, lines=(HAT,)), by=PLATFORM)
    assert [code for code, _ in flags(order)] == ["edited_after_handover"]


def test_what_is_cancelled_there_before_hand_over_is_cancelled_here(order):
    make_fulfillment(order=order)
    follow(order, replace(BOUGHT, is_cancelled=True), by=PLATFORM)
    now = fresh(order)
    assert (now.state, now.cancel_reason, flags(order)) == ("cancelled", "Cancelled at the platform", [])
    assert set(StockLevel.objects.values_list("reserved", flat=True)) == {0}


def test_what_is_cancelled_there_after_hand_over_is_flagged_and_the_warehouse_asked_to_stop(order):
    fulfillment = at_warehouse(order)
    follow(order, replace(BOUGHT, is_cancelled=True), by=PLATFORM)
    fulfillment.refresh_from_db()
    assert (fresh(order).state, fulfillment.owes) == ("cancelling", Owes.CANCEL)
    assert flags(order) == [("cancelled_after_handover", {})]


@pytest.mark.parametrize("state", [State.PICKING, State.PARTLY_SHIPPED])
def test_what_is_cancelled_there_too_late_goes_on_and_says_so(order, state):
    at_warehouse(order, state=state)
    if state == State.PARTLY_SHIPPED:
        order.lines.filter(sku="HAT-1").update(shipped=1)
    follow(order, replace(BOUGHT, is_cancelled=True), by=PLATFORM)
    assert not fresh(order).is_cancelled
    assert flags(order) == [("cancelled_after_handover", {})]


@pytest.mark.parametrize("state", ["fulfilled", "cancelled", "cancelling"])
def test_nothing_comes_of_what_is_said_of_an_order_that_is_over(order, state):
    cancelled_at = "2026-01-01T00:00:00Z" if state == "cancelled" else None
    Order.objects.update(state=state, cancelled_at=cancelled_at, cancel_requested_at="2026-01-01T00:00:00Z")
    if state == "fulfilled":
        for line in order.lines.all():
            line.shipped = line.quantity
            line.save()
    if state == "cancelling":
        at_warehouse(order, owes=Owes.CANCEL, due_at="2026-01-01T00:00:00Z")
    assert follow(order, MOVED, by=PLATFORM) is False
    now = fresh(order)
    assert (now.state, now.destination["city"], now.version, flags(order)) == (state, "Delft", 1, [])


def test_nobody_is_told_of_what_changes_nothing_that_anybody_sees(order):
    events = of_goods().count()
    Order.objects.update(state="fulfilled")
    for line in order.lines.all():
        line.shipped = line.quantity
        line.save()
    follow(order, MOVED, by=PLATFORM)
    assert (of_goods().count(), Hindrance.objects.count()) == (events, 0)
