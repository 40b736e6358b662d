"""Changing stock: numbers, their ledger, their events, and who is owed the news."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.catalog import stocking
from apps.catalog.models import StockLevel, StockMovement
from apps.catalog.stocking import By, Change, Count, Outcome, Result
from apps.webhooks.models import Event
from tests.factories import make_level, make_listing, make_location, make_organization, make_product, make_publication

from .stock import check, shelf, warehouse

pytestmark = pytest.mark.django_db
BY = By("operator", "anna@foo-3pl.example")
ORDER = By("order", "orders", reference="order-7")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
APPLIED = Outcome(Result.APPLIED)


def refused(error):
    return Outcome(Result.REFUSED, error)


def numbers(level):
    level.refresh_from_db()
    return level.on_hand, level.reserved, level.incoming, level.reserved_incoming


def place(level):
    return level.product_id, level.location_id


def test_a_change_has_its_line_and_its_event():
    """Behaviour 64."""
    product, location = shelf(sku="HAT-1")
    by = By("order", "otter", reference="order-7", note="by hand")
    assert stocking.change(product.organization, [Change(product.pk, location.pk, on_hand=5)], by=by) == [APPLIED]
    level = StockLevel.objects.get()
    assert (level.on_hand, level.reserved, level.version) == (5, 0, 1)
    line = StockMovement.objects.get()
    assert (line.level_id, line.sequence, line.cause, line.on_hand_change, line.on_hand) == (level.pk, 1, "order", 5, 5)
    assert (line.reference, line.actor, line.note, line.is_count) == ("order-7", "otter", "by hand", False)
    event = Event.objects.get()
    assert (event.type, event.entity, event.entity_id) == ("stock.changed", "stock_level", str(level.pk))
    assert event.sequence == 1
    assert event.data == {
        "product_id": product.pk,
        "sku": "HAT-1",
        "name": product.name,
        "location_id": str(location.pk),
        "location_name": location.name,
        "location_kind": location.kind,
        "in_stock": 5,
        "reserved": 0,
        "available": 5,
        "incoming": 0,
        "cause": "order",
        "change": 5,
    }


def test_what_changes_nothing_writes_nothing():
    product, location = shelf()
    assert stocking.change(product.organization, [Change(product.pk, location.pk)], by=BY) == [refused("unknown_level")]
    stocking.count(product.organization, [Count(product.pk, location.pk, 5, occurred_at=NOON)], by=BY)
    same = Count(product.pk, location.pk, 5, occurred_at=NOON)
    assert stocking.count(product.organization, [same], by=BY) == [Outcome(Result.DUPLICATE)]
    assert stocking.change(product.organization, [Change(product.pk, location.pk)], by=BY) == [
        Outcome(Result.UNCHANGED)
    ]
    assert (StockMovement.objects.count(), Event.objects.count(), StockLevel.objects.get().version) == (1, 1, 1)


def test_one_change_that_cannot_be_is_refused_alone():
    level = make_level(on_hand=3)
    other = make_level(product=make_product(organization=level.organization))
    changes = [
        Change(*place(level), on_hand=-2),
        Change(*place(level), on_hand=-2),
        Change(*place(level), on_hand=2**31 - 1),
        Change(*place(other), reserved=-1),
        Change(*place(other), on_hand=1),
    ]
    negative = refused("negative_stock")
    assert stocking.change(level.organization, changes, by=BY) == [
        APPLIED, negative, refused("too_much_stock"), negative, APPLIED
    ]  # fmt: skip
    assert (numbers(level), numbers(other)) == ((1, 0, 0, 0), (11, 0, 0, 0))


def test_an_entry_counts_once():
    product, location = shelf()
    stored = Change(product.pk, location.pk, on_hand=2, entry="form-1")
    assert stocking.change(product.organization, [stored, stored], by=BY) == [APPLIED, Outcome(Result.DUPLICATE)]
    assert stocking.change(product.organization, [stored], by=BY) == [Outcome(Result.DUPLICATE)]
    assert StockLevel.objects.get().on_hand == 2


def test_the_stock_of_strangers_is_out_of_reach():
    product, location = shelf()
    theirs, shared = make_location(organization=make_organization()), make_location(shared=True)
    foreign = make_product()
    changes = [
        Change(product.pk, theirs.pk, on_hand=1),
        Change(foreign.pk, location.pk, on_hand=1),
        Change(product.pk, shared.pk, on_hand=1),
    ]
    unknown = refused("unknown_level")
    assert stocking.change(product.organization, changes, by=BY) == [unknown, unknown, APPLIED]


def test_reserving_is_all_or_nothing():
    level = make_level(on_hand=3)
    other = make_level(product=make_product(organization=level.organization), on_hand=1)
    wanted = [Change(*place(level), reserved=2), Change(*place(other), reserved=1)]
    assert stocking.reserve(level.organization, wanted, by=ORDER) is True
    assert stocking.reserve(level.organization, wanted, by=ORDER) is False
    assert stocking.reserve(level.organization, [Change(*place(level), reserved=1)] * 2, by=ORDER) is False
    unknown = Change(make_product(organization=level.organization).pk, level.location_id, reserved=1)
    assert stocking.reserve(level.organization, [unknown], by=ORDER) is False
    assert (numbers(level), numbers(other)) == ((3, 2, 0, 0), (1, 1, 0, 0))
    assert StockLevel.objects.count() == 2


def test_what_is_reserved_is_given_back_or_picked():
    level = make_level(on_hand=5)
    one, two = Change(*place(level), reserved=1), Change(*place(level), reserved=2)
    assert stocking.reserve(level.organization, [one, two], by=ORDER)
    assert stocking.release(level.organization, [one], by=ORDER) == [APPLIED]
    assert stocking.pick(level.organization, [two], by=ORDER) == [APPLIED]
    assert numbers(level) == (3, 0, 0, 0)
    lines = StockMovement.objects.filter(cause="order").order_by("sequence", "id")
    assert list(lines.values_list("on_hand_change", "reserved_change", "reference")) == [
        (0, 1, "order-7"), (0, 2, "order-7"), (0, -1, "order-7"), (-2, -2, "order-7")
    ]  # fmt: skip


def test_of_two_counts_the_higher_version_is_believed_then_the_later_then_the_smaller():
    product, location = shelf()

    def count(on_hand, version=None, minute=0):
        at = NOON + timedelta(minutes=minute)
        one = Count(product.pk, location.pk, on_hand, version=version, occurred_at=at)
        return stocking.count(product.organization, [one], by=BY)[0].result

    assert count(9) == "applied"
    assert count(5, version=1, minute=-9) == "applied"
    assert count(8, minute=5) == "stale"
    assert count(6, version=1) == "applied"
    assert count(7, version=1) == "stale"
    assert count(4, version=1) == "applied"
    assert count(4, version=1) == "duplicate"
    assert count(4, version=2) == "unchanged"
    assert count(1, version=1, minute=9) == "stale"
    assert StockLevel.objects.get().on_hand == 4
    check()


def test_what_changed_after_a_count_is_added_to_it():
    product, location = shelf()
    at = NOON + timedelta(minutes=1)
    stocking.change(product.organization, [Change(product.pk, location.pk, on_hand=3, occurred_at=at)], by=BY)
    early = Change(product.pk, location.pk, on_hand=2, occurred_at=NOON - timedelta(minutes=1))
    stocking.change(product.organization, [early], by=BY)
    stocking.count(product.organization, [Count(product.pk, location.pk, 10, occurred_at=NOON)], by=BY)
    assert StockLevel.objects.get().on_hand == 13
    assert stocking.change(product.organization, [early], by=BY) == [Outcome(Result.STALE)]
    check()


def test_a_truth_asked_for_stands_beside_counts_with_versions():
    product, location = shelf()
    counts = [Count(product.pk, location.pk, 5, version=7, occurred_at=NOON)]
    stocking.count(product.organization, counts, by=BY)
    assert stocking.count(product.organization, [Count(product.pk, location.pk, 6)], by=BY) == [Outcome(Result.STALE)]
    asked = By("reconcile", "anna@foo-3pl.example")
    assert stocking.count(product.organization, [Count(product.pk, location.pk, 6)], by=asked) == [APPLIED]
    assert stocking.count(product.organization, counts, by=BY) == [Outcome(Result.STALE)]
    assert (StockLevel.objects.get().on_hand, StockLevel.objects.get().counted_version) == (6, 7)


def test_a_count_below_what_is_reserved_shows_how_many_are_short():
    level = make_level(on_hand=5)
    stocking.reserve(level.organization, [Change(*place(level), reserved=4)], by=ORDER)
    stocking.count(level.organization, [Count(*place(level), on_hand=1, incoming=6)], by=BY)
    assert numbers(level) == (1, 4, 6, 0)
    assert level.available == -3


@pytest.mark.parametrize("number", [-1, 2**31])
def test_a_number_that_cannot_be_is_refused(number):
    product, location = shelf()
    counts = [Count(product.pk, location.pk, number), Count(product.pk, location.pk, 1, incoming=number)]
    assert stocking.count(product.organization, counts, by=BY) == [refused("bad_quantity")] * 2
    assert not StockMovement.objects.exists()


def test_platforms_are_owed_the_news_of_what_changed():
    product, location = shelf()
    listing = make_listing(product=product)
    publication = make_publication(listing=listing, due_at=None)
    stocking.count(product.organization, [Count(product.pk, location.pk, 0, occurred_at=NOON)], by=BY)
    publication.refresh_from_db()
    assert publication.due_at is None
    stocking.count(product.organization, [Count(product.pk, location.pk, 1)], by=BY)
    publication.refresh_from_db()
    assert publication.due_at is not None


@pytest.mark.parametrize("work", [stocking.change, stocking.reserve, stocking.count])
def test_ten_levels_take_as_many_statements_as_one(work):
    location = make_location()
    rows = []
    for _ in range(10):
        product = make_level(product=make_product(organization=location.organization), location=location).product_id
        one = Change(product, location.pk, reserved=1)
        rows.append(Count(product, location.pk, 99, occurred_at=NOON) if work is stocking.count else one)
    taken = []
    for some in (rows[:1], rows[1:]):
        with CaptureQueriesContext(connection) as queries:
            work(location.organization, some, by=ORDER)
        taken.append(len(queries))
    assert taken[0] == taken[1]
    assert StockMovement.objects.filter(cause="order").count() == 10


@pytest.mark.parametrize("work", ["UPDATE catalog_stockmovement SET on_hand = 0", "DELETE FROM catalog_stockmovement"])
def test_the_ledger_is_never_rewritten(work):
    make_level()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(work)


def test_the_database_keeps_a_level_out_of_another_organizations_location():
    product, theirs = make_product(), make_location(organization=make_organization())
    with pytest.raises(DatabaseError, match="another organization"), transaction.atomic():
        StockLevel.objects.create(organization=product.organization, product=product, location=theirs)


def test_what_people_ship_leaves_the_shelf_and_the_reservation():
    level = make_level(on_hand=3, reserved=2)
    [outcome] = stocking.ship(level.organization, [Change(*place(level), reserved=2)], by=BY)
    assert (outcome, numbers(level)) == (APPLIED, (1, 0, 0, 0))
    line = level.movements.latest("id")
    assert (line.on_hand_change, line.reserved_change) == (-2, -2)


def test_what_people_ship_beyond_what_was_counted_leaves_nothing_behind():
    level = make_level(on_hand=1, reserved=2)
    assert stocking.ship(level.organization, [Change(*place(level), reserved=2)], by=BY) == [APPLIED]
    assert (numbers(level), level.missing) == ((0, 0, 0, 0), 0)


@pytest.mark.parametrize(("minutes", "on_hand"), [(-1, 3), (1, 1)])
def test_what_a_warehouse_ships_is_in_its_later_count_already(minutes, on_hand):
    integration, location = warehouse()
    product = make_product(organization=location.organization)
    stocking.change(product.organization, [Change(product.pk, location.pk, on_hand=1, occurred_at=NOON)], by=BY)
    level = StockLevel.objects.get()
    stocking.count(level.organization, [Count(*place(level), 3, occurred_at=NOON)], by=BY)
    assert stocking.reserve(product.organization, [Change(*place(level), reserved=2)], by=ORDER)
    by = By("fulfillment", "wms", integration)
    shipped = Change(*place(level), reserved=2, occurred_at=NOON + timedelta(minutes=minutes), entry="P-1")
    [outcome] = stocking.ship(level.organization, [shipped], by=by)
    assert (outcome, numbers(level)) == (APPLIED if minutes > 0 else Outcome(Result.STALE), (on_hand, 0, 0, 0))
