"""Many say at once what left a warehouse, and what lies there: each thing counts once, and nobody waits for ever."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.api.errors import Problem
from apps.audit.trail import Actor
from apps.catalog import stocking
from apps.catalog.stocking import By, Reported
from apps.integrations.connectors.orders import FulfillmentNews, Step
from apps.orders import cancelling, fulfilling
from apps.orders.models import Fulfillment, Parcel
from tests.catalog.stock import check
from tests.concurrency import at_once

from .goods import handed, line_ids, stock

pytestmark = pytest.mark.django_db(transaction=True)
WMS = Actor("Custom 1")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
AT_ONCE = 6  # connections


def state(one):
    one = Fulfillment.objects.get(pk=one.pk)
    return one.state, one.order.state


def test_what_many_report_at_once_beside_their_counts_counts_once():
    one = handed(4)
    [line], [sku] = line_ids(one), one.lines.values_list("product__sku", flat=True)
    halves = [FulfillmentNews(Step.SHIPPED, reference=str(one.pk), shipped={str(line): n}, version=n) for n in (2, 4)]

    def tell():
        for pieces, half in zip((8, 6), halves, strict=True):
            fulfilling.take_news(one.integration, half, by=WMS)
            counted = Reported(sku, pieces, occurred_at=NOON + timedelta(minutes=10 - pieces))
            stocking.report(one.location, [counted], by=By("receipt", "wms", one.integration))

    assert at_once(AT_ONCE, tell) == [None] * AT_ONCE
    assert (state(one), Parcel.objects.count()) == (("shipped", "fulfilled"), 2)
    assert stock(one)[0][1] == 0
    check()


def test_the_same_parcel_from_many_is_one():
    one = handed(4)
    told = at_once(AT_ONCE, lambda: fulfilling.ship(one, by=WMS, shipped_at=NOON, entry="P-1"))
    assert set(told) == {Parcel.objects.get()}
    assert (state(one), stock(one), Parcel.objects.count()) == (("shipped", "fulfilled"), [(6, 0)], 1)
    check()


def test_an_order_is_either_shipped_or_cancelled():
    one = handed(4, by_hand=True)
    came = []

    def race(deed):
        try:
            deed()
        except Problem as problem:
            came.append(problem.code)

    deeds = [lambda: fulfilling.ship(one, by=WMS, entry="P-1"), lambda: cancelling.cancel(one.order, by=WMS)] * 3
    assert at_once(len(deeds), lambda: race(deeds.pop())) == [None] * 6
    assert (state(one), stock(one)) in [
        (("shipped", "fulfilled"), [(6, 0)]),
        (("cancelled", "cancelled"), [(10, 0)]),
    ]
    assert set(came) <= {"fulfillment_is_final", "order_already_fulfilled"}
    check()
