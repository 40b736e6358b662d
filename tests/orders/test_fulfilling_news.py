"""A warehouse's news of its fulfilments: in any order, more than once, and beside its own counts of the stock."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.api.errors import Problem
from apps.audit.trail import Actor
from apps.catalog import stocking
from apps.catalog.stocking import By, Reported
from apps.integrations.connectors.orders import FulfillmentNews, Step, Tracking
from apps.orders import fulfilling
from apps.orders.models import Fulfillment, Parcel
from tests.catalog.stock import check
from tests.factories import make_custom_integration

from .goods import HERE, handed, line_ids, stock

pytestmark = pytest.mark.django_db
WMS = Actor("Custom 1")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
TRACKING = Tracking("DHL", "3S123")
MANY = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


def tell(one, step, **said):
    said = {"reference": str(one.pk)} | said
    return fulfilling.take_news(one.integration, FulfillmentNews(Step(step), **said), by=WMS)


def state(one):
    one = Fulfillment.objects.get(pk=one.pk)
    return one.state, one.order.state


def test_the_steps_of_a_fulfilment():
    one = handed(2)
    assert [tell(one, "taken", remote_id="W-1"), state(one)] == ["taken", ("sent", "sent")]
    assert [tell(one, "picking"), state(one)] == ["picking", ("picking", "picking")]
    assert [tell(one, "shipped", tracking=TRACKING, occurred_at=NOON), state(one)] == [
        "shipped",
        ("shipped", "fulfilled"),
    ]
    parcel = Parcel.objects.get()
    assert (parcel.lines, parcel.tracking_number, parcel.shipped_at) == ([[line_ids(one)[0], 2]], "3S123", NOON)
    assert list(one.order.entries.values_list("kind", flat=True)) == ["sent", "picking", "parcel"]


def test_news_told_again_say_nothing():
    one = handed(2)
    for step in ("taken", "picking"):
        tell(one, step, remote_id="W-1")
        assert tell(one, step, remote_id="W-1") == "known"
    half = {str(line_ids(one)[0]): 1}
    assert [tell(one, "shipped", shipped=half), tell(one, "shipped", shipped=half)] == ["parcel", "known"]
    assert [tell(one, "shipped"), tell(one, "shipped"), tell(one, "taken")] == ["shipped", "known", "known"]
    assert (stock(one), Parcel.objects.count(), one.order.entries.count()) == ([(8, 0)], 2, 4)


def test_it_is_found_by_the_warehouses_own_id_too():
    one = handed(2, remote_id="W-1")
    assert tell(one, "picking", reference="", remote_id="W-1") == "picking"
    assert tell(one, "shipped", reference="ours is another", remote_id="W-1") == "shipped"


@pytest.mark.parametrize("named", [{"reference": "7"}, {"reference": "", "remote_id": "W-2"}, {"reference": ""}])
def test_news_of_what_nobody_knows_are_refused(named):
    one = handed(2, remote_id="W-1")
    with pytest.raises(Problem, match=r"^fulfillment_not_found:"):
        tell(one, "picking", **named)


def test_a_warehouse_says_nothing_of_anothers():
    one, other = handed(2), make_custom_integration()
    neighbour = make_custom_integration(organization=one.organization)
    for stranger in (other, neighbour):
        with pytest.raises(Problem, match=r"^fulfillment_not_found:"):
            fulfilling.take_news(stranger, FulfillmentNews(Step.SHIPPED, reference=str(one.pk)), by=WMS)
    assert state(one) == ("ready", "new")


def test_an_id_of_another_is_refused():
    one = handed(2, remote_id="W-1")
    other = handed(2, place=one.location)
    with pytest.raises(Problem, match=r"^conflict:"):
        tell(other, "taken", remote_id="W-1")


def test_what_is_shipped_grows_and_each_growth_is_a_parcel():
    one = handed(2, 3)
    first, second = map(str, line_ids(one))
    assert tell(one, "shipped", shipped={first: 1}) == "parcel"
    assert tell(one, "shipped", shipped={first: 2, second: 1}) == "parcel"
    assert tell(one, "shipped", shipped={first: 1}) == "known"
    assert state(one) == ("sent", "partly_fulfilled")
    assert tell(one, "shipped", shipped={first: 2, second: 1}, is_final=True) == "shipped"
    assert [parcel.lines for parcel in one.parcels.all()] == [[[int(first), 1]], [[int(first), 1], [int(second), 1]]]
    assert (state(one), stock(one)) == (("partly_shipped", "partly_fulfilled"), [(8, 0), (9, 0)])


@pytest.mark.parametrize(
    ("shipped", "code"), [({0: 3}, "more_than_ordered"), ({99: 1}, "validation_error"), ({"x": 1}, "validation_error")]
)
def test_nonsense_is_refused_and_changes_nothing(shipped, code):
    one = handed(2)
    [line] = line_ids(one)
    said = {key if key == "x" else str(line + key): number for key, number in shipped.items()}
    with pytest.raises(Problem, match=f"^{code}:"), transaction.atomic():
        tell(one, "shipped", shipped=said, version=7)
    assert (state(one), stock(one), Fulfillment.objects.get().source_version) == (("ready", "new"), [(10, 2)], None)


def test_what_is_older_says_nothing():
    one = handed(2)
    assert tell(one, "picking", version=5) == "picking"
    assert tell(one, "rejected", version=4) == "known"
    assert tell(one, "shipped", version=5) == "shipped"
    assert state(one) == ("shipped", "fulfilled")


def test_a_refusal_and_a_stop_that_nobody_asked_for_wait_for_somebody():
    refused, stopped = handed(2), handed(2)
    assert [tell(refused, "rejected", reason="no such item"), tell(refused, "rejected")] == ["rejected", "known"]
    assert [tell(stopped, "cancelled"), tell(stopped, "cancelled")] == ["rejected", "known"]
    assert [state(refused), state(stopped)] == [("rejected", "waiting")] * 2
    reasons = Fulfillment.objects.order_by("id").values_list("reason", flat=True)
    assert list(reasons) == ["no such item", "cancelled_there"]


def test_a_stop_that_was_asked_for_cancels():
    one = handed(2)
    fulfilling.acknowledge(one, by=WMS)
    type(one.order).objects.update(cancel_requested_at=NOON, state="cancelling")
    assert tell(one, "cancelled") == "cancelled"
    assert (state(one), stock(one)) == (("cancelled", "cancelled"), [(10, 0)])


def test_a_refusal_of_the_rest_comes_with_what_left():
    one = handed(3)
    assert tell(one, "rejected", shipped={str(line_ids(one)[0]): 1}) == "rejected"
    assert (state(one), stock(one)) == (("partly_shipped", "partly_fulfilled"), [(9, 0)])


def test_late_news_of_a_final_one_are_noted_once():
    one = handed(2)
    tell(one, "rejected")
    assert [tell(one, "shipped"), tell(one, "shipped")] == ["late", "late"]
    [entry] = one.order.entries.filter(kind="late_news")
    assert entry.is_internal
    assert entry.data == {"location": one.location.name, "step": "shipped", "pieces": 2}
    assert (state(one), stock(one)) == (("rejected", "waiting"), [(10, 0)])


def told(one, news):
    """What we believe after these, one after the other, and forget again."""
    with transaction.atomic():
        for single in news:
            single(one)
        check()
        found = stock(one), state(one)
        transaction.set_rollback(True)
    return found


def counted(pieces, at):
    """The warehouse's own count of what lies there, as its hook tells it."""

    def count(one):
        product = one.lines.get().product
        row = Reported(product.sku, pieces, occurred_at=at)
        stocking.report(one.location, [row], by=By("receipt", "wms", one.integration))

    return count


def left(pieces, at, entry):
    """A parcel of so many pieces, as the warehouse reports it."""

    def parcel(one):
        fulfilling.ship(one, by=WMS, pieces={line_ids(one)[0]: pieces}, shipped_at=at, entry=entry)

    return parcel


def grown(pieces, at, version):
    """All that has left so far, as the warehouse's news of the fulfilment say it."""

    def news(one):
        said = {str(line_ids(one)[0]): pieces}
        tell(one, "shipped", shipped=said, occurred_at=at, version=version)

    return news


@st.composite
def days(draw):
    """What happens to five pieces that are to be shipped: parcels, counts, and other goods that come and go.

    Returns the parcels, the counts, and what lies there in the end.
    """
    there, open_, moment = HERE, 5, NOON
    parcels, counts = [], []
    while open_:
        moment += timedelta(minutes=1)
        pieces = draw(st.integers(1, open_))
        open_, there = open_ - pieces, there - pieces
        parcels.append(left(pieces, moment, f"P-{open_}"))
        if draw(st.booleans()):
            there = max(there + draw(st.integers(-2, 2)), 0)
            counts.append(counted(there, moment + timedelta(seconds=draw(st.sampled_from([0, 30])))))
    return parcels, counts, there


@MANY
@given(data=st.data(), day=days())
def test_parcels_and_counts_in_any_order_end_at_what_the_warehouse_has(data, day):
    """WI-05 for fulfilments: nothing is taken off twice, and nothing is forgotten."""
    parcels, counts, there = day
    one = handed(5)
    news = parcels + counts
    again = data.draw(st.lists(st.sampled_from(news), max_size=4))
    assert told(one, data.draw(st.permutations(news + again))) == ([(there, 0)], ("shipped", "fulfilled"))


@MANY
@given(data=st.data(), sizes=st.lists(st.integers(1, 3), min_size=1, max_size=3))
def test_growing_news_and_a_count_after_each_pick_end_at_what_the_warehouse_has(data, sizes):
    """As Pio tells it: with each pick its stock and how far the fulfilment is, both in any order."""
    one = handed(sum(sizes))
    news, shipped, moment = [], 0, NOON
    for version, size in enumerate(sizes):
        shipped, moment = shipped + size, moment + timedelta(minutes=1)
        news += [grown(shipped, moment, version), counted(HERE - shipped, moment)]
    again = data.draw(st.lists(st.sampled_from(news), max_size=4))
    assert told(one, data.draw(st.permutations(news + again))) == ([(HERE - shipped, 0)], ("shipped", "fulfilled"))
