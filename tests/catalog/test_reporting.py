"""What a warehouse reports: whose word counts, what becomes of each row, and what a complete count leaves out."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.api.errors import Problem
from apps.catalog import stocking
from apps.catalog.models import HeldReport, Location, StockLevel, StockMovement
from apps.catalog.stocking import By, Change, Outcome, Reported, Result
from tests.factories import make_custom_integration, make_location, make_organization, make_pair, make_product

from .stock import check, warehouse

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def place():
    """A location that a warehouse fulfils from."""
    return warehouse()[1]


def product(place, sku):
    return make_product(organization=place.organization, sku=sku)


def report(place, *rows, by=None, **fields):
    """The outcomes of a report, each as its result or the code of its refusal."""
    by = by or By("report", "wms", place.integration, reference="r-1")
    return [outcome.error or outcome.result.value for outcome in stocking.report(place, rows, by=by, **fields)]


def on_hand(place):
    """By SKU, how much lies there; what is not listed has no level."""
    check()
    levels = StockLevel.objects.filter(location=place)
    return dict(levels.order_by("product__sku").values_list("product__sku", "on_hand"))


def at(minute):
    return NOON + timedelta(minutes=minute)


def test_each_row_has_its_own_outcome(place):
    for sku in "ABCD":
        product(place, sku)
    report(place, Reported("A", 1), Reported("B", 2), occurred_at=NOON)
    rows = [
        Reported("A", 1),
        Reported("B", 3),
        Reported("C", change=4, entry="e-1"),
        Reported("D", 0),
        Reported("nobody's", 7),
        Reported("nobody's", change=7),
        Reported("A", 9, occurred_at=at(-1)),
        Reported("C", change=4, entry="e-1"),
        Reported("C", change=0, entry="e-2"),
    ]
    assert report(place, *rows, occurred_at=at(1)) == [
        "unchanged", "applied", "applied", "unchanged", "held", "unknown_sku", "stale", "duplicate", "unchanged"
    ]  # fmt: skip
    assert on_hand(place) == {"A": 1, "B": 3, "C": 4, "D": 0}


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (Reported("A", -1), "bad_quantity"),
        (Reported("A", 2**31), "bad_quantity"),
        (Reported("A", change=2**31), "bad_quantity"),
        (Reported("A"), "bad_quantity"),
        (Reported("A", 1, change=1), "bad_quantity"),
        (Reported("A", 1, version=-1), "bad_version"),
        (Reported("A", 1, version=2**63), "bad_version"),
        (Reported("", 1), "bad_sku"),
        (Reported(" ", 1), "bad_sku"),
        (Reported("A\x00", 1), "bad_sku"),
        (Reported("\ud800", 1), "bad_sku"),
        (Reported("A" * 256, 1), "bad_sku"),
        (Reported("A", change=1, entry="\x00"), "bad_entry"),
        (Reported("A", change=1, entry="e" * 256), "bad_entry"),
    ],
)
def test_a_bad_row_fails_alone(place, row, code):
    product(place, "A")
    product(place, 'B\\",{}')
    assert report(place, row, Reported('B\\",{}', 2)) == [code, "applied"]
    assert on_hand(place) == {'B\\",{}': 2}
    assert not HeldReport.objects.exists()


def test_only_who_fulfils_from_an_active_location_reports_for_it(place):
    """Behaviour 60, contracts 2.7."""
    integration, organization = place.integration, place.organization
    another = make_custom_integration(organization=organization)
    stranger = make_custom_integration(organization=make_organization())
    by_hand = make_location(organization=organization)
    unnamed = make_location(organization=organization, kind=Location.Kind.EXTERNAL)
    theirs = make_location(organization=stranger.organization, kind=Location.Kind.EXTERNAL)
    shared = make_location(shared=True, kind=Location.Kind.EXTERNAL)
    closed = make_location(integration=integration, ext_location_id="closed", is_active=False)

    def answer(location, reporter):
        try:
            return report(location, Reported("A", 1), by=By("report", "wms", reporter))
        except Problem as problem:
            return problem.code

    product(place, "A")
    told = [
        (place, integration), (unnamed, integration), (unnamed, another), (place, another), (place, None),
        (by_hand, integration), (theirs, integration), (shared, integration), (place, stranger), (closed, integration),
    ]  # fmt: skip
    refused = ["location_of_another"] * 6
    assert [answer(*one) for one in told] == [
        ["applied"], ["applied"], ["unchanged"], *refused, "location_not_active"
    ]  # fmt: skip


def test_a_warehouse_speaks_in_its_own_skus(place):
    product(place, "OURS")
    make_pair(integration=place.integration, first="OURS", second="THEIRS")
    assert report(place, Reported("THEIRS", 4)) == ["applied"]
    assert on_hand(place) == {"OURS": 4}


def test_two_skus_of_one_product_do_not_take_turns(place):
    product(place, "B")
    make_pair(integration=place.integration, first="B", second="A")
    for minute in range(3):
        report(place, Reported("A", 10), Reported("B", 12), occurred_at=at(minute), complete=True)
    assert on_hand(place) == {"B": 10}
    assert StockMovement.objects.count() == 1


def test_what_a_complete_count_does_not_name_is_not_there(place):
    for sku in "ABC":
        product(place, sku)
    report(place, Reported("A", 1), Reported("B", 2), Reported("C", 3), occurred_at=NOON)
    assert report(place, Reported("A", 1), Reported("B", -2), occurred_at=at(1), complete=True) == [
        "unchanged", "bad_quantity"
    ]  # fmt: skip
    assert on_hand(place) == {"A": 1, "B": 2, "C": 0}
    assert report(place, occurred_at=at(2), complete=True) == []
    assert on_hand(place) == {"A": 0, "B": 0, "C": 0}


@pytest.mark.parametrize("last", [0, 1, 2])
def test_a_complete_count_may_come_in_several_calls_and_their_order_does_not_matter(place, last):
    for sku in "ABCD":
        product(place, sku)
    report(place, Reported("D", 9), occurred_at=NOON)
    calls = [Reported("A", 1), Reported("B", 2), Reported("C", 3)]
    for number, row in enumerate(calls):
        report(place, row, occurred_at=at(1), complete=number == last)
    assert on_hand(place) == {"A": 1, "B": 2, "C": 3, "D": 0}


def test_a_complete_count_is_one_of_each_level_there(place):
    """Though it is written down once: what is older than it says nothing new, of what it named or did not name."""
    for sku in "ABC":
        product(place, sku)
    report(place, Reported("A", 1), Reported("B", 2), occurred_at=NOON)
    by = By("snapshot", "wms", place.integration)
    assert report(place, Reported("A", 1), occurred_at=at(5), complete=True, by=by) == ["unchanged"]
    late = [Reported("A", 7), Reported("B", 7), Reported("C", 7), Reported("A", change=7, entry="e-1")]
    assert report(place, *late, occurred_at=at(4)) == ["stale"] * 4
    assert on_hand(place) == {"A": 1, "B": 0, "C": 0}
    assert report(place, Reported("A", 7), occurred_at=at(4), complete=True) == ["stale"]
    assert on_hand(place) == {"A": 1, "B": 0, "C": 0}


def test_a_confirmed_count_writes_nothing_but_when_it_was(place):
    products = [product(place, sku) for sku in "AB"]
    rows = [Reported("A", 1), Reported("B", 2)]
    report(place, *rows, occurred_at=NOON, version=1)
    assert report(place, *rows, occurred_at=at(1), version=3) == ["unchanged"] * 2
    assert report(place, Reported("A", 5), version=2) == ["stale"]
    level = StockLevel.objects.get(product=products[0])
    assert (level.version, level.counted_version, level.counted_at) == (1, 3, at(1))
    assert StockMovement.objects.count() == 2
    check()


def test_a_complete_count_that_confirms_everything_writes_no_level(place):
    for sku in "AB":
        product(place, sku)
    rows = [Reported("A", 1), Reported("B", 2)]
    report(place, *rows)
    written = _row_versions()
    assert report(place, *rows, complete=True) == ["unchanged"] * 2
    assert _row_versions() == written
    place.refresh_from_db()
    assert place.counted_at is not None


def _row_versions():
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, xmin::text, ctid::text FROM catalog_stocklevel ORDER BY id")
        return cursor.fetchall()


def test_more_may_be_reported_gone_than_we_knew_of(place):
    """A change may come before what it takes from."""
    product(place, "A")
    assert report(place, Reported("A", change=-5, occurred_at=at(2), entry="pick")) == ["applied"]
    assert on_hand(place) == {"A": 0}
    assert report(place, Reported("A", change=4, occurred_at=at(1), entry="store")) == ["applied"]
    assert on_hand(place) == {"A": 0}
    assert report(place, Reported("A", 8, occurred_at=NOON)) == ["applied"]
    assert on_hand(place) == {"A": 7}


def test_a_time_to_come_is_now(place):
    product(place, "A")
    ahead = datetime(2999, 1, 1, tzinfo=UTC)
    assert report(place, Reported("A", 5, occurred_at=ahead)) == ["applied"]
    assert report(place, Reported("A", 6)) == ["applied"]
    assert on_hand(place) == {"A": 6}


def test_the_newest_count_of_an_unknown_sku_is_held_until_the_sku_is_known(place):
    assert report(place, Reported("A", 5, version=2), Reported("A", 3, version=1)) == ["held"] * 2
    assert report(place, Reported("A", 9, version=1)) == ["held"]
    held = HeldReport.objects.get()
    assert (held.sku, held.on_hand, held.source_version, held.reference) == ("A", 5, 2, "r-1")
    assert stocking.release_held(place.organization) == 0
    product(place, "A")
    product(place, "B")
    assert stocking.release_held(place.organization, skus=["B"]) == 0
    assert stocking.release_held(place.organization, skus=["A", "B"]) == 1
    assert on_hand(place) == {"A": 5}
    assert StockMovement.objects.values_list("cause", "reference", "source_version").get() == ("report", "r-1", 2)
    assert not HeldReport.objects.exists()
    assert report(place, Reported("A", 9, version=1)) == ["stale"]


def test_a_held_count_of_a_complete_report_counts_later(place):
    assert report(place, Reported("A", 5), occurred_at=NOON, complete=True) == ["held"]
    product(place, "A")
    assert stocking.release_held(place.organization) == 1
    assert on_hand(place) == {"A": 5}


def test_a_hundred_rows_take_as_many_statements_as_one(place):
    for number in range(100):
        product(place, f"SKU-{number}")
    taken = []
    for rows in ([0], range(1, 100)):
        told = [Reported(f"SKU-{number}", 5) for number in rows]
        told += [Reported(f"SKU-{number}", change=-1, entry=str(number)) for number in rows]
        told += [Reported(f"unknown-{number}", 5) for number in rows]
        with CaptureQueriesContext(connection) as queries:
            report(place, *told)
        taken.append(len(queries))
    assert taken[0] == taken[1] <= 16


def test_what_was_picked_since_a_count_is_not_brought_back_by_it(place):
    made = product(place, "A")
    report(place, Reported("A", 5), occurred_at=NOON)
    rows = [Change(made.pk, place.pk, reserved=2)]
    order = By("order", "orders")
    assert stocking.reserve(place.organization, rows, by=order)
    stocking.pick(place.organization, rows, by=order)
    assert report(place, Reported("A", 5), occurred_at=at(1)) == ["unchanged"]
    assert on_hand(place) == {"A": 3}
    assert Outcome(Result.REFUSED, "x").refused
