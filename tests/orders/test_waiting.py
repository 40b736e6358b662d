"""What orders wait for, all that wait for the same as one line."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.catalog.models import WaitingSku
from apps.orders import waiting
from apps.orders.models import Hindrance, Order
from tests.factories import (
    make_held_report,
    make_hindrance,
    make_ignored_sku,
    make_integration,
    make_location,
    make_order,
    make_pair,
    make_product,
    make_shop,
)

pytestmark = pytest.mark.django_db
Code = Hindrance.Code


@pytest.fixture
def shop():
    return make_shop()


def told(shop) -> list[tuple[int, str]]:
    return [(one.count, one.text) for one in waiting.reasons(shop.organization)]


def test_what_most_orders_wait_for_comes_first_and_what_nobody_can_mend_last(shop):
    for _ in range(3):
        make_hindrance(order=make_order(shop=shop), code=Code.BLOCKED, ref="No Mondays")
    for ref in ("HAT", "CAP", "CAP"):
        make_hindrance(order=make_order(shop=shop), ref=ref)
    make_hindrance(ref="SOMEBODY ELSE'S")
    assert told(shop) == [
        (2, "waiting for the SKU “CAP”"),
        (1, "waiting for the SKU “HAT”"),
        (3, "held back by the rule “No Mondays”"),
    ]


def test_the_oldest_of_them_says_since_when(shop):
    since = timezone.now() - timedelta(days=2)
    for moment in (since, timezone.now()):
        make_hindrance(order=make_order(shop=shop), since=moment)
    assert [one.since for one in waiting.reasons(shop.organization)] == [since]


def test_what_was_too_late_is_said_for_three_days_and_all_else_for_as_long_as_it_is_so(shop):
    def flagged(code: str, *, days: int) -> None:
        since = timezone.now() - timedelta(days=days)
        make_hindrance(order=make_order(shop=shop), code=code, ref="", since=since)

    flagged(Code.NOT_TOLD, days=30)
    flagged(Code.EDITED_LATE, days=2)
    flagged(Code.CANCEL_REFUSED, days=4)
    flagged(Code.NOTHING_TO_SHIP, days=0)
    assert {one.code for one in waiting.reasons(shop.organization)} == {Code.NOT_TOLD, Code.EDITED_LATE}


def test_counts_are_of_open_orders_and_of_those_somebody_has_to_look_at(shop):
    make_order(shop=shop)
    make_order(shop=shop, state=Order.State.FULFILLED)
    for code in (Code.UNKNOWN_SKU, Code.OUT_OF_STOCK, Code.BLOCKED):
        make_hindrance(order=make_order(shop=shop), code=code)
    make_hindrance()
    assert waiting.counts(shop.organization, shop=shop) == waiting.Counts(open=4, urgent=1)


def test_a_place_of_another_organization_is_no_way_out(shop):
    make_location(integration=make_integration(), name="Hall 1")
    order = make_order(shop=shop)
    make_hindrance(order=order, code=Code.UNMAPPED_METHOD, ref="Pigeon", detail={"locations": ["Hall 1"]})
    assert [one.link for one in waiting.troubles(order)] == ["/shipping-methods/"]


# ---- The worklist of SKUs knows of orders


def worklist() -> list[tuple[str, int, int, int, int]]:
    return [(row.sku, row.orders, row.reports, row.listings, row.times) for row in WaitingSku.objects.order_by("sku")]


def test_a_sku_that_only_orders_name_stands_in_the_worklist(shop):
    for _ in range(2):
        make_hindrance(order=make_order(shop=shop), ref="CAP")
    make_hindrance(order=make_order(shop=shop), code=Code.OUT_OF_STOCK, ref="HAT")
    assert worklist() == [("CAP", 2, 0, 0, 2)]
    assert WaitingSku.objects.get().integration == shop.integration


def test_orders_and_reports_of_one_sku_are_one_row(shop):
    make_hindrance(order=make_order(shop=shop), ref="CAP")
    make_held_report(location=make_location(integration=shop.integration), sku="CAP", times=3)
    assert worklist() == [("CAP", 1, 1, 0, 4)]
    assert WaitingSku.objects.get().counted == 3


def test_an_answered_sku_is_gone_before_its_orders_are_looked_at(shop):
    for ref in ("A", "B", "C"):
        make_hindrance(order=make_order(shop=shop), ref=ref)
    make_pair(integration=shop.integration, first="A", second="OURS")
    make_product(organization=shop.organization, sku="B")
    make_product(sku="C")
    assert [row[0] for row in worklist()] == ["C"]


def test_a_sku_of_an_order_can_be_put_aside(shop):
    make_hindrance(order=make_order(shop=shop), ref="CAP")
    make_ignored_sku(integration=shop.integration, sku="CAP")
    assert list(WaitingSku.objects.values_list("sku", "is_ignored")) == [("CAP", True)]
