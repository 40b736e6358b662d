"""Lists by keyset: forwards, backwards, with rows that go, with values that are equal or missing."""

import base64
import json
from datetime import timedelta
from itertools import chain
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Brand
from apps.integrations.models import ApiKey, Integration
from tests.api.conftest import bearer
from tests.factories import make_brand, make_custom_integration, make_key

LIST, BY_SYNC = "/api/notes", "/api/by-sync"


@pytest.fixture
def brands(calls) -> list[str]:
    """Seven, of which three have the same name."""
    organization = ApiKey.objects.get().organization
    names = ["b", "a", "c", "b", "b", "d", "é"]
    for name in names:
        make_brand(organization=organization, name=name)
    make_brand(name="a stranger's")
    return sorted(names)


def read(calls: Client, address: str) -> dict:
    answer = calls.get(address)
    assert answer.status_code == 200, answer.content
    return answer.json()


def forwards(calls: Client, address: str) -> list[list[str]]:
    pages = []
    while address:
        page = read(calls, address)
        pages.append(page["data"])
        address = page["next"]
    return pages


def backwards(calls: Client, address: str) -> list[list[str]]:
    pages = []
    while address:
        page = read(calls, address)
        pages.append(page["data"])
        address = page["prev"]
    return pages


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7, 8, 100])
def test_pages_forwards_hold_every_row_once_and_in_order(calls, brands, size):
    pages = forwards(calls, f"{LIST}?per_page={size}")
    assert list(chain(*pages)) == brands
    assert [len(page) for page in pages[:-1]] == [size] * (len(pages) - 1)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_pages_backwards_are_the_same_ones(calls, brands, size):
    last = address = f"{LIST}?per_page={size}"
    while address:
        last, address = address, read(calls, address)["next"]
    assert list(chain(*reversed(backwards(calls, last)))) == brands


def test_the_ends_have_no_link_and_links_are_whole_addresses(calls, brands):
    first = read(calls, f"{LIST}?per_page=4")
    second = read(calls, first["next"])
    assert (first["prev"], second["next"], first["per_page"]) == (None, None, 4)
    assert first["next"].startswith("http://testserver/api/notes?per_page=4&cursor=")
    assert read(calls, second["prev"]) == first | {"prev": None}


def test_an_empty_list_is_a_page(calls):
    assert read(calls, LIST) == {"data": [], "prev": None, "next": None, "per_page": 25}


def test_rows_that_go_or_come_meanwhile_shift_nothing(calls, brands):
    first = read(calls, f"{LIST}?per_page=3")
    Brand.objects.filter(name="a").delete()
    seen = Brand.objects.filter(name="b").first()
    make_brand(organization=seen.organization, name="0 before all")
    Brand.objects.filter(name="c").delete()
    assert list(chain(*forwards(calls, first["next"]))) == ["b", "d", "é"]


def test_the_row_a_cursor_names_may_be_gone(calls, brands):
    first = read(calls, f"{LIST}?per_page=1")
    Brand.objects.filter(name="a").delete()
    assert list(chain(*forwards(calls, first["next"]))) == brands[1:]


def test_an_offset_token_is_there_only_while_more_follows(db, sampled, calls):
    for _ in range(2):
        make_custom_integration()
    page = read(calls, f"{BY_SYNC}?limit=2")
    assert set(page) == {"items", "offsetToken"}
    last = read(calls, f"{BY_SYNC}?limit=2&token={page['offsetToken']}")
    assert (set(last), len(page["items"]) + len(last["items"])) == ({"items"}, 3)


@pytest.mark.parametrize("order", ["order_sync_updated_at", "-order_sync_updated_at"])
@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_rows_without_a_value_are_listed_once_too(calls, order, limit):
    Integration.objects.update(name="key's own")
    now = timezone.now()
    for number, when in enumerate([now, None, now - timedelta(days=1), None, now]):
        make_custom_integration(name=str(number), order_sync_updated_at=when)
    rows = list(Integration.objects.order_by(order, "id").values_list("name", flat=True))
    found, address = [], f"{BY_SYNC}?by={order}&limit={limit}"
    while address:
        page = read(calls, address)
        found += page["items"]
        token = page.get("offsetToken")
        address = f"{BY_SYNC}?by={order}&limit={limit}&token={token}" if token else ""
    assert found == rows


@pytest.mark.parametrize("limit", [None, "", "0", "-1", "101", "1.5", "1e1", "1_0", " 1", "+1", "١", "9" * 5000, "NaN"])
def test_a_limit_that_is_none_is_refused(calls, limit):
    answer = calls.get(BY_SYNC, {} if limit is None else {"limit": limit})
    assert (answer.status_code, [one["attribute"] for one in answer.json()["details"]]) == (422, ["limit"])
    if limit is not None:
        assert calls.get(LIST, {"per_page": limit}).status_code == 422


def sealed(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize("sign", ["🎩", "é", "\x01", '"', "a"])
def test_the_links_are_short_enough_for_a_web_server_whatever_the_rows_are_called(calls, sign):
    """gunicorn takes 4,094 bytes of a request's first line."""
    organization = ApiKey.objects.get().organization
    names = sorted(sign * 254 + last for last in "123")
    for name in names:
        make_brand(organization=organization, name=name)
    second = read(calls, read(calls, f"{LIST}?per_page=1")["next"])
    assert (second["data"], read(calls, second["prev"])["data"]) == ([names[1]], [names[0]])
    assert max(len(second[link]) for link in ("prev", "next")) < 2_500


def test_a_cursor_that_was_made_before_they_were_short_leads_on(calls, brands):
    make_brand(organization=ApiKey.objects.get().organization, name="ö")
    last = Brand.objects.get(name="é")
    cursors = [sealed([backwards, last.name, str(last.pk)]) for backwards in (0, 1)]
    assert [read(calls, f"{LIST}?cursor={cursor}")["data"] for cursor in cursors] == [["ö"], brands[:-1]]


UNSEALED = ["x", "é", "=", "%00", "AA", "🎩", base64.urlsafe_b64encode(b"[0, \xff]").decode(), "A" * 10_000]
VALUES = [
    None, 1, "", [], {}, [0], [0, "a"], [0, "a", "b", "c"], [2, "a", "b"], ["x", "a", "b"], [0, 1, 2], [0, ["a"], {}],
    [0, "a", "not a UUID"], [0, "a", "0" * 5000], [0, "\x00", "0" * 32], [0, "\ud800", "0" * 32], [{}, "a", "0" * 32],
    [0, "a", None], [0, "9" * 400, "9" * 400], [0, "NaN", "NaN"], [0.5, "a", "b"],
]  # fmt: skip
DATES = ["9999-12-31T23:59:59.999999-23:59", "0001-01-01T00:00:00+23:59", "infinity", "2026-02-30", "0", "24:00", "now"]


@pytest.mark.parametrize("token", UNSEALED + [sealed(value) for value in VALUES])
@pytest.mark.parametrize(("address", "name"), [(f"{LIST}?per_page=5", "cursor"), (f"{BY_SYNC}?limit=5", "token")])
def test_a_forged_cursor_is_a_mistake_of_its_sender(calls, brands, address, name, token):
    answer = calls.get(address, {name: token} | {"limit": 5, "per_page": 5})
    assert answer.status_code in {200, 422}
    assert answer.status_code == 200 or [one["attribute"] for one in answer.json()["details"]] == [name]


@pytest.mark.parametrize("date", DATES)
def test_a_date_that_is_none_is_one_as_well(calls, date):
    answer = calls.get(BY_SYNC, {"limit": 5, "token": sealed([0, date, "0" * 32])})
    assert answer.status_code in {200, 422}


def test_what_cannot_be_read_is_no_fault_of_a_cursor_that_nobody_sent(calls):
    ancient = make_custom_integration()
    with connection.cursor() as cursor:
        change = "UPDATE integrations_integration SET order_sync_updated_at = '0044-03-15 BC' WHERE id = %s"
        cursor.execute(change, [ancient.pk])
    tokens = [sealed([1, "2026-01-01T00:00:00Z", "f" * 32]), ""]
    assert [calls.get(BY_SYNC, {"limit": 5, "token": token}).status_code for token in tokens] == [422, 500]


def test_a_cursor_of_somebody_else_shows_only_ones_own_rows(calls, brands):
    cursor = parse_qs(urlsplit(read(calls, f"{LIST}?per_page=1")["next"]).query)["cursor"][0]
    stranger = Client(headers=bearer(make_key()))
    assert read(stranger, f"{LIST}?cursor={cursor}")["data"] == []


@pytest.mark.parametrize("rows", [1, 3])
def test_a_page_is_three_statements_with_the_credential_and_the_limit(calls, django_assert_num_queries, rows):
    for _ in range(rows):
        make_brand(organization=ApiKey.objects.get().organization)
    with django_assert_num_queries(3):
        calls.get(LIST)
