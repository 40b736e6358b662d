"""Paging a list by the row at which a page ends: through ties, rows without a value, and what comes in meanwhile."""

import json
import re
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from html import unescape
from uuid import uuid4

import pytest
from django.contrib import admin
from django.db.models import Count, F
from django.utils import timezone

from apps import keyset
from apps.keyset import beyond, read, terms_of, written
from apps.webhooks.models import Delivery, Receipt

from .factories import make_delivery, make_hook, make_integration, make_receipt

NOON = datetime(2026, 11, 22, 12, tzinfo=timezone.get_default_timezone())
ORDERS = [
    ["-pk"],
    ["pk"],
    ["next_attempt_at", "-pk"],
    ["-next_attempt_at", "pk"],
    ["-tries", "next_attempt_at", "pk"],
    ["hook__event", "-pk"],
    [F("next_attempt_at").desc(), "-pk"],
]


@pytest.fixture
def rows(db) -> None:
    """Twelve, of which four have no moment, and many have the same one."""
    hook = make_hook()
    for number in range(12):
        moment = None if number % 3 == 0 else NOON + timedelta(hours=number % 4)
        make_delivery(hook=hook, next_attempt_at=moment, tries=number % 2)


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_each_row_has_the_rest_of_the_list_behind_it(rows, order):
    listed = Delivery.objects.order_by(*order)
    terms, all_rows = terms_of(listed), list(listed)
    for place, row in enumerate(all_rows):
        _backwards, values = read(terms, written(terms, row, backwards=False))
        after = beyond(terms, values)
        assert (list(listed.filter(after)) if after is not None else []) == all_rows[place + 1 :]
        before = beyond([term.turned() for term in terms], values)
        found = list(listed.reverse().filter(before)) if before is not None else []
        assert found[::-1] == all_rows[:place]


@pytest.mark.parametrize("order", [["?"], [F("tries").desc(nulls_last=True), "pk"], [F("tries") + 1, "pk"], ["hook"]])
def test_an_order_that_cannot_be_said_in_values_of_a_row_has_no_places(db, order):
    assert terms_of(Delivery.objects.order_by(*order)) is None


def test_what_was_counted_can_be_ordered_by(rows):
    listed = Delivery.objects.annotate(times=Count("attempts")).order_by("-times", "pk")
    assert [term.of(listed[0]) for term in terms_of(listed)] == [0, listed[0].pk]


@pytest.mark.parametrize(
    "text", ["", "x", "2", "-1", "W10", "bnVsbA", "W3RydWUsICJ4Il0", "W2ZhbHNlLCBudWxsLCBudWxsXQ", "é"]
)
def test_what_says_no_place_is_none(db, text):
    assert read(terms_of(Delivery.objects.order_by("-pk")), text) is None


@pytest.mark.parametrize("value", ["a\x00b", "\ud800", ["x"], {}, 5, True])
def test_what_no_row_can_hold_is_no_place(db, value):
    assert read(terms_of(Receipt.objects.order_by("remote_id", "pk")), _address([False, value, str(uuid4())])) is None


def test_an_address_of_many_brackets_is_no_place(db):
    assert read(terms_of(Delivery.objects.order_by("-pk")), urlsafe_b64encode(b"[" * 9000).decode()) is None


def _address(place: list) -> str:
    return urlsafe_b64encode(json.dumps(place).encode()).decode()


# ---- The pages


@pytest.fixture
def receipts(db, monkeypatch) -> list[int]:
    """Seven, three on a page; their ids, the newest first."""
    monkeypatch.setattr(type(admin.site.get_model_admin(Receipt)), "list_per_page", 3)
    integration = make_integration()
    return [make_receipt(integration=integration).pk for _ in range(7)][::-1]


def shown(page) -> list[int]:
    return [row.pk for row in page.context["cl"].result_list]


def links(page) -> dict[str, str]:
    """The links below the list, by their words."""
    nav = page.text.partition('aria-label="Pages"')[2].partition("</nav>")[0]
    return {word: unescape(address) for address, word in re.findall(r'href="([^"]*)">(\w+)</a>', nav)}


def follow(client, page, word: str):
    return client.get(f"/admin/webhooks/receipt/{links(page)[word]}")


def test_a_list_is_read_to_its_end_and_back(staff_client, receipts):
    first = staff_client.get("/admin/webhooks/receipt/")
    second = follow(staff_client, first, "Next")
    third = follow(staff_client, second, "Next")
    assert (shown(first), shown(second), shown(third)) == (receipts[:3], receipts[3:6], receipts[6:])
    assert (list(links(first)), list(links(second)), list(links(third))) == (
        ["Next", "Last"],
        ["First", "Previous", "Next", "Last"],
        ["First", "Previous"],
    )
    assert shown(follow(staff_client, third, "Previous")) == receipts[3:6]
    assert shown(follow(staff_client, second, "Previous")) == receipts[:3]
    assert shown(follow(staff_client, third, "First")) == receipts[:3]
    last = follow(staff_client, first, "Last")
    assert (shown(last), shown(follow(staff_client, last, "Previous"))) == (receipts[4:], receipts[1:4])


def test_what_comes_in_meanwhile_shifts_nothing(staff_client, receipts):
    first = staff_client.get("/admin/webhooks/receipt/")
    new = [make_receipt(integration=Receipt.objects.first().integration).pk for _ in range(2)][::-1]
    second = follow(staff_client, first, "Next")
    assert shown(second) == receipts[3:6]
    assert shown(follow(staff_client, second, "Previous")) == receipts[:3]
    assert shown(staff_client.get("/admin/webhooks/receipt/")) == [*new, receipts[0]]


def test_filters_and_search_stay_while_paging(staff_client, receipts):
    first = staff_client.get("/admin/webhooks/receipt/?state__exact=received")
    assert "state__exact=received" in links(first)["Next"]
    assert shown(follow(staff_client, first, "Next")) == receipts[3:6]


@pytest.mark.parametrize("place", ["x", "2", "W10", "last", "é", "W3RydWUsICJ4Il0"])
def test_any_place_is_answered(staff_client, receipts, place):
    page = staff_client.get("/admin/webhooks/receipt/", {"p": place})
    assert shown(page) == (receipts[4:] if place == "last" else receipts[:3])


def test_a_page_of_nothing_is_answered(staff_client, receipts):
    oldest = Receipt(received_at=NOON - timedelta(days=999))
    listed = staff_client.get("/admin/webhooks/receipt/").context["cl"].queryset
    far = written(terms_of(listed), oldest, backwards=False)
    page = staff_client.get("/admin/webhooks/receipt/", {"p": far})
    assert (shown(page), list(links(page))) == ([], ["First"])


@pytest.mark.parametrize(("most", "seen", "can_be_ordered"), [(10, "7", True), (5, "5+", False)])
def test_few_rows_are_counted_and_ordered_by_any_column_and_many_are_not(
    staff_client, receipts, monkeypatch, most, seen, can_be_ordered
):
    monkeypatch.setattr(keyset, "COUNTED", most)
    page = staff_client.get("/admin/webhooks/receipt/?o=-1")
    assert (page.context["cl"].seen, "sortable" in page.text) == (seen, can_be_ordered)
