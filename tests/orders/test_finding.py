"""Orders by what people have at hand."""

import pytest

from apps.accounts.models import Organization
from apps.orders.finding import find
from apps.orders.models import Order
from tests.factories import make_order, make_shop

pytestmark = pytest.mark.django_db


def found(text: str, *, among=None) -> set[str]:
    rows = find(Order.objects.all(), text, among=Organization.objects.all() if among is None else among)
    return set(rows.values_list("number", flat=True))


def test_a_number_comes_before_an_id_and_that_before_a_sku():
    shop = make_shop()
    make_order(shop=shop, number="A", ext_order_id="1")
    make_order(shop=shop, number="1", ext_order_id="2", lines=[{"sku": "A"}])
    make_order(shop=shop, number="B", ext_order_id="3", lines=[{"sku": "2"}, {"sku": "X"}, {"sku": "X"}])
    assert [found(text) for text in ("A", "1", "2", "X")] == [{"A"}, {"1"}, {"1"}, {"B"}]


def test_nobody_finds_what_is_not_theirs():
    mine, theirs = make_order(number="A"), make_order(number="B", email="ann@b.example", lines=[{"sku": "HAT"}])
    among = Organization.objects.filter(pk=mine.organization_id)
    assert [found(text, among=among) for text in ("B", "ann@b.example", "HAT", theirs.ext_order_id)] == [set()] * 4


@pytest.mark.parametrize("text", ["", " ", "0" * 8, "%", "x" * 10_000, "💥"])
def test_what_nothing_is_called_finds_nothing(text):
    make_order()
    assert found(text) == set()
