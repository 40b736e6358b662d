"""Lists as files: what stands in a cell, and that no spreadsheet calculates what somebody wrote into an order."""

import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from apps.desk import exporting, selecting
from apps.integrations.models import ApiKey
from apps.orders.models import Order
from tests.factories import make_custom_integration, make_hindrance, make_job, make_key, make_order


def read(text: str) -> list[list[str]]:
    return list(csv.reader(StringIO(text, newline="")))


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("hats", "hats"),
        ("=1+1", "'=1+1"),
        ("+31 6 1234", "'+31 6 1234"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "\t'=1"),
        ("\r=1", "\r'=1"),
        ("\ttext", "'\ttext"),
        ("  =1+1", "  '=1+1"),
        ("＝1+1", "'＝1+1"),
        ("hats;=1+1", "hats;'=1+1"),
        ('hats;"=1+1;', "hats;\"'=1+1;"),
        ("hats\n=1+1", "hats\n'=1+1"),
        ("a=b", "a=b"),
        ("-5", "-5"),
        ("+4.50", "+4.50"),
        (-5, "-5"),
        (Decimal("-1.50"), "-1.50"),
        (0, "0"),
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (date(2026, 11, 22), "2026-11-22"),
        (datetime(2026, 11, 22, 1, 2, 3, 456, tzinfo=UTC), "2026-11-22T01:02:03+00:00"),
        ({"a": "é"}, '{"a": "é"}'),
        (gettext_lazy("Stock"), "Stock"),
        (mark_safe('<a href="/x">Tom &amp; <b>Co</b></a>'), "Tom & Co"),
        (mark_safe("<div>one</div><div>two</div>"), "one; two"),
        (mark_safe("<b>=1+1</b>"), "'=1+1"),
        ("<b>as it was written</b>", "<b>as it was written</b>"),
        ("nul\x00", "nul"),
    ],
)
def test_in_07_a_cell_says_what_there_is_and_calculates_nothing(value, cell):
    assert exporting.cell(value) == cell


def test_commas_quotes_and_new_lines_come_back_as_they_were():
    row = ['a "b", c', "two\r\nlines", "é"]
    assert read(exporting.lines([row])) == [row]
    assert exporting.lines([row]).endswith("\r\n")


def test_the_columns_are_those_of_the_list_in_plain_text(staff):
    order = make_order(number="=HYPERLINK()", state=Order.State.HELD)
    make_hindrance(order=order)
    found = selecting.select("orders.Order", "", user=staff)
    columns = exporting.columns(found.pages, found.request)
    assert read(exporting.header(columns)) == [
        ["id", "number", "state", "why it waits", "organization", "shop", "came"]
    ]
    (row,) = read(exporting.shown(columns, found.after("", most=5)))
    assert row[:3] == [str(order.pk), "'=HYPERLINK()", order.get_state_display()]
    assert row[4:] == [order.organization.name, str(order.shop), order.created_at.isoformat(timespec="seconds")]
    assert "<" not in row[3] and row[3] != ""


def test_a_file_of_keys_holds_no_key(staff):
    secret = make_key(integration=make_custom_integration())
    key = ApiKey.objects.get()
    found = selecting.select("integrations.ApiKey", "", user=staff)
    text = exporting.shown(exporting.columns(found.pages, found.request), found.after("", most=5))
    assert str(key.pk) in text
    assert [one for one in (secret, key.token_digest.hex()) if one in text] == []


@pytest.mark.parametrize("model", sorted(admin.site._registry, key=lambda model: model._meta.label))
def test_every_list_can_be_a_file(model, staff):
    found = selecting.select(model._meta.label, "", user=staff)
    columns = exporting.columns(found.pages, found.request)
    titles = read(exporting.header(columns))[0]
    rows = read(exporting.shown(columns, found.after("", most=3)))
    assert {len(row) for row in rows} <= {len(titles)}


def test_a_longer_file_takes_no_more_queries(staff):
    def lines() -> str:
        found = selecting.select("orders.Order", "", user=staff)
        return exporting.shown(exporting.columns(found.pages, found.request), found.after("", most=50))

    make_hindrance(order=make_order())
    with CaptureQueriesContext(connection) as one:
        lines()
    make_hindrance(order=make_order())
    make_hindrance(order=make_order())
    with CaptureQueriesContext(connection) as three:
        assert len(read(lines())) == 3
    assert len(three) == len(one)


def test_a_download_is_all_parts_in_order_and_excel_knows_its_letters(db):
    job = make_job()
    for number in (200, 0, 1000):
        job.parts.create(number=number, text=f"{number}\r\n")
    assert list(exporting.download(job)) == ["\ufeff", "0\r\n", "200\r\n", "1000\r\n"]
