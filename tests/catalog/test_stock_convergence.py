"""WI-05: whatever order a warehouse's reports come in, and however often, we end at what it has."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.catalog import stocking
from apps.catalog.models import StockLevel
from apps.catalog.stocking import By, Change, Count, Reported
from tests.factories import make_product

from .stock import check, warehouse

pytestmark = pytest.mark.django_db
MANY = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SKUS = "AB"


@pytest.fixture
def place():
    """A location that a warehouse fulfils from, and what it has of two SKUs is unknown."""
    place = warehouse()[1]
    for sku in SKUS:
        make_product(organization=place.organization, sku=sku)
    return place


def tell(place, row, **fields):
    return stocking.report(place, [row], by=By("report", "wms", place.integration), **fields)


def told(place, rows):
    """What we believe after these rows, one call each, and forget again."""
    with transaction.atomic():
        for row in rows:
            tell(place, row)
        check()
        levels = StockLevel.objects.filter(location=place)
        found = dict.fromkeys(SKUS, 0) | dict(levels.values_list("product__sku", "on_hand"))
        transaction.set_rollback(True)
    return found


def shuffled(draw, rows):
    again = draw(st.lists(st.sampled_from(rows), max_size=4)) if rows else []
    return draw(st.permutations(rows + again))


@st.composite
def days(draw):
    """What happens at a warehouse in a day, as it tells it: each thing that is stored or picked, and counts in between.

    Some of its counts have the version of the stock, or all; time stands still now and then. Returns what it tells and
    what it has in the end.
    """
    has, rows, moment = dict.fromkeys(SKUS, 0), [], NOON
    versioned = draw(st.booleans())
    for version in range(draw(st.integers(1, 8))):
        moment += timedelta(minutes=1)
        sku = draw(st.sampled_from(SKUS))
        if draw(st.booleans()):
            change = draw(st.integers(-has[sku], 5))
            has[sku] += change
            rows.append(Reported(sku, change=change, occurred_at=moment, entry=f"e-{version}"))
        else:
            found = draw(st.sampled_from([has[sku], draw(st.integers(0, 9))]))
            has[sku] = found  # pieces that were lost or found
            rows.append(Reported(sku, found, version=version if versioned else None, occurred_at=moment))
    return rows, has


@MANY
@given(data=st.data(), day=days())
def test_changes_and_counts_in_any_order_end_at_what_the_warehouse_has(place, data, day):
    rows, has = day
    assert told(place, shuffled(data.draw, rows)) == has


counts = st.builds(
    Reported,
    sku=st.sampled_from(SKUS),
    on_hand=st.integers(0, 5),
    version=st.sampled_from([None, 1, 2, 3]),
    occurred_at=st.integers(0, 3).map(lambda minutes: NOON + timedelta(minutes=minutes)),
)


@MANY
@given(data=st.data(), rows=st.lists(counts, min_size=1, max_size=6))
def test_counts_that_contradict_each_other_end_the_same_in_any_order(place, data, rows):
    """With versions or without, at equal times or not."""
    assert told(place, shuffled(data.draw, rows)) == told(place, rows)


@MANY
@given(data=st.data(), rows=st.lists(counts, min_size=1, max_size=6))
def test_counts_in_one_call_end_as_those_in_calls_of_their_own(place, data, rows):
    with transaction.atomic():
        stocking.report(place, rows, by=By("report", "wms", place.integration))
        together = dict.fromkeys(SKUS, 0) | dict(StockLevel.objects.values_list("product__sku", "on_hand"))
        check()
        transaction.set_rollback(True)
    assert told(place, rows) == together


@MANY
@given(data=st.data(), rows=st.lists(counts, min_size=1, max_size=4))
def test_counts_that_waited_for_their_sku_end_the_same(place, data, rows):
    """SKUs that are somebody's only after the reports."""
    known = told(place, rows)
    with transaction.atomic():
        for row in shuffled(data.draw, rows):
            tell(place, replace(row, sku=f"new {row.sku}"))
        for sku in SKUS:
            make_product(organization=place.organization, sku=f"new {sku}")
        stocking.release_held(place.organization)
        found = dict(StockLevel.objects.values_list("product__sku", "on_hand"))
        transaction.set_rollback(True)
    assert {sku: found.get(f"new {sku}", 0) for sku in SKUS} == known


@pytest.mark.parametrize("version", [None, 9])
def test_parts_of_complete_counts_end_the_same_in_any_order(place, version):
    """Two snapshots of two calls each; what the newer one does not name is not there."""
    older, newer = NOON, NOON + timedelta(minutes=1)
    calls = [
        (Reported("A", 4), {"occurred_at": older, "version": version and version - 1}),
        (Reported("B", 4), {"occurred_at": older, "version": version and version - 1, "complete": True}),
        (Reported("A", 6), {"occurred_at": newer, "version": version}),
        (Reported("nobody's", 6), {"occurred_at": newer, "version": version, "complete": True}),
    ]
    ends = set()
    for order in permutations(calls):
        with transaction.atomic():
            for row, fields in order:
                tell(place, row, **fields)
            check()
            ends.add(tuple(StockLevel.objects.order_by("product__sku").values_list("product__sku", "on_hand")))
            transaction.set_rollback(True)
    assert {tuple((sku, pieces) for sku, pieces in end if pieces) for end in ends} == {(("A", 6),)}


@pytest.mark.parametrize("order", sorted(set(permutations([5, 3, 4, 5]))))
def test_the_highest_version_is_believed(place, order):
    """WI-05, as it is written: versions 5, 3, 4, 5 in any order, at equal times or without any."""
    for occurred_at in (NOON, None):
        rows = [Reported("A", 10 + version, version=version, occurred_at=occurred_at) for version in order]
        assert told(place, rows)["A"] == 15
        assert told(place, [*rows, Reported("A", 99, occurred_at=NOON)])["A"] == 15


operations = st.lists(
    st.tuples(
        st.sampled_from(["change", "reserve", "release", "pick", "count", "report"]),
        st.integers(-4, 6),
        st.integers(0, 4),
    ),
    max_size=15,
)


@MANY
@given(steps=operations)
def test_the_ledger_adds_up_after_whatever_was_done(place, steps):
    product, by = make_product(organization=place.organization), By("order", "orders")
    with transaction.atomic():
        for work, number, minutes in steps:
            at = NOON + timedelta(minutes=minutes)
            held = [Change(product.pk, place.pk, reserved=abs(number))]
            match work:
                case "change":
                    stocking.change(place.organization, [Change(product.pk, place.pk, on_hand=number)], by=by)
                case "count":
                    counted = Count(product.pk, place.pk, number, incoming=minutes, occurred_at=at)
                    stocking.count(place.organization, [counted], by=by)
                case "report":
                    tell(place, Reported(product.sku, change=number, occurred_at=at, entry=f"{minutes}"))
                case _:
                    getattr(stocking, work)(place.organization, held, by=by)
            check()
        transaction.set_rollback(True)
