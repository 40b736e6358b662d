"""Stock over the API: what is shown to whom, how a number explains itself, and what a warehouse may report."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.audit.models import Entry
from apps.catalog import stocking
from apps.catalog.models import HeldReport, Location, StockLevel, StockMovement
from apps.catalog.stocking import By, Change
from tests.api.calling import call, said, wrong
from tests.factories import (
    make_custom_integration,
    make_key,
    make_level,
    make_listing,
    make_location,
    make_member,
    make_organization,
    make_partner_integration,
    make_product,
)

from .partners import open_shop
from .stock import check

pytestmark = pytest.mark.django_db
NOON = "2026-11-21T12:00:00Z"


@pytest.fixture
def warehouse():
    return make_custom_integration(category="logistics")


@pytest.fixture
def hall(warehouse):
    return make_location(integration=warehouse, name="Hall 1", kind=Location.Kind.EXTERNAL)


@pytest.fixture
def key(warehouse) -> str:
    return make_key(integration=warehouse)


def product(hall, sku="HAT-1"):
    return make_product(organization=hall.organization, sku=sku)


def send(key, hall, *rows, **fields):
    body = {"location_id": str(hall.pk), "style": "snapshot", "rows": list(rows)} | fields
    return call("POST", "v1/inventory/reports", body, token=key)


def results(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [one["code"] or one["result"] for one in answer.json()["results"]]


def get(key, path=""):
    answer = call("GET", f"v1/inventory{path}", token=key)
    assert answer.status_code == 200, answer.content
    return answer.json()


def seen(key, query="") -> list[str]:
    return sorted(row["sku"] for row in get(key, query)["data"])


def test_a_level_is_shown_with_its_four_numbers(hall, key):
    """Behaviour 62."""
    made = product(hall)
    send(key, hall, {"sku": "HAT-1", "on_hand": 5}, observed_at=NOON, version=3)
    stocking.reserve(hall.organization, [Change(made.pk, hall.pk, reserved=2)], by=By("order", "orders"))
    level = StockLevel.objects.get()
    numbers = {"in_stock": 5, "reserved": 2, "available": 3, "incoming": 0}
    updated_at = level.updated_at.isoformat().replace("+00:00", "Z")
    row = numbers | {
        "product_id": made.pk,
        "sku": "HAT-1",
        "location_id": str(hall.pk),
        "version": 2,
        "counted_at": NOON,
        "updated_at": updated_at,
    }
    assert get(key) == {"data": [row], "prev": None, "next": None, "per_page": 25}
    assert get(key, f"/{made.pk}") == {
        "product_id": made.pk,
        "sku": "HAT-1",
        **numbers,
        "locations": [row | {"location_name": "Hall 1", "is_counted": True}],
    }


def test_the_ledger_tells_each_change_with_its_cause_newest_first(hall, key):
    """Behaviour 64."""
    made = product(hall)
    send(key, hall, {"sku": "HAT-1", "on_hand": 5}, observed_at=NOON, reference="count 7")
    rows = [Change(made.pk, hall.pk, reserved=2)]
    stocking.reserve(hall.organization, rows, by=By("order", "orders", reference="order-1", note="two hats"))
    newest, oldest = get(key, f"/{made.pk}/ledger")["data"]
    assert {name: oldest[name] for name in ("cause", "reference", "occurred_at", "sequence", "before", "after")} == {
        "cause": "snapshot",
        "reference": "count 7",
        "occurred_at": NOON,
        "sequence": 1,
        "before": {"in_stock": 0, "reserved": 0, "available": 0, "incoming": 0},
        "after": {"in_stock": 5, "reserved": 0, "available": 5, "incoming": 0},
    }
    line = StockMovement.objects.get(sequence=2)
    assert newest == {
        "location_id": str(hall.pk),
        "sequence": 2,
        "cause": "order",
        "reference": "order-1",
        "entry": "",
        "actor": "orders",
        "note": "two hats",
        "before": {"in_stock": 5, "reserved": 0, "available": 5, "incoming": 0},
        "change": {"in_stock": 0, "reserved": 2, "available": -2, "incoming": 0},
        "after": {"in_stock": 5, "reserved": 2, "available": 3, "incoming": 0},
        "occurred_at": line.occurred_at.isoformat().replace("+00:00", "Z"),
        "created_at": line.created_at.isoformat().replace("+00:00", "Z"),
    }
    page = get(key, f"/{made.pk}/ledger?per_page=1")
    assert page["data"] == [newest]
    following = call("GET", page["next"].split("/api/")[1], token=key).json()
    assert following["data"] == [oldest]


def test_totals_leave_out_what_may_not_be_sold(hall, key):
    made = product(hall)
    make_level(product=made, location=hall, on_hand=5)
    closed = make_location(integration=hall.integration, ext_location_id="closed", excluded_from_totals=True)
    make_level(product=made, location=closed, on_hand=7)
    found = get(key, f"/{made.pk}")
    assert found["in_stock"] == 5
    assert sorted((row["in_stock"], row["is_counted"]) for row in found["locations"]) == [(5, True), (7, False)]


def test_stock_is_found_by_sku_product_location_and_time(hall, key):
    one, two = product(hall, "A"), product(hall, "B")
    make_level(product=one, location=hall)
    make_level(product=two, location=hall)
    other = make_location(integration=hall.integration, ext_location_id="2")
    StockLevel.objects.filter(product=two).update(updated_at="2020-01-01T00:00:00Z")
    assert seen(key) == ["A", "B"]
    assert seen(key, "?sku=A") == ["A"]
    assert seen(key, f"?product_id={two.pk}") == ["B"]
    assert seen(key, f"?location_id={other.pk}") == []
    assert seen(key, "?updated_since=2021-01-01T00:00:00Z") == ["A"]
    assert wrong(call("GET", "v1/inventory?updated_since=x", token=key)) == ["updated_since"]


def test_who_sees_which_stock(hall, key):
    organization = hall.organization
    listed, unlisted = product(hall, "LISTED"), product(hall, "UNLISTED")
    make_level(product=unlisted, location=hall)
    elsewhere = make_location(organization=organization)
    make_level(product=listed, location=elsewhere)
    level = make_level()
    shop, token = open_shop(make_partner_integration(organization=organization))
    make_listing(shop=shop, product=listed)
    other, foreign = open_shop(shop.integration)
    make_listing(shop=other, product=unlisted)
    everything = make_key(integration=make_custom_integration(organization=organization, org_wide_access=True))
    person = make_key(user=make_member(organization=organization))
    assert [seen(one) for one in (key, token, foreign, everything, person)] == [
        ["UNLISTED"], ["LISTED"], ["UNLISTED"], ["LISTED", "UNLISTED"], ["LISTED", "UNLISTED"]
    ]  # fmt: skip
    for path in (f"/{unlisted.pk}", f"/{unlisted.pk}/ledger", f"/{level.product_id}", f"/{2**70}"):
        assert said(call("GET", f"v1/inventory{path}", token=token)) == (404, "product_not_found")
    assert get(token, f"/{listed.pk}")["in_stock"] == 10


@pytest.mark.parametrize("path", ["", "/{}/ledger", "/{}"])
def test_three_rows_take_as_many_statements_as_one(hall, key, path):
    counts = []
    for number in range(3):
        made = product(hall, f"SKU-{number}")
        level = make_level(product=made, location=hall)
        stocking.change(hall.organization, [Change(*_place(level), on_hand=1)] * number, by=By("order", "orders"))
        with CaptureQueriesContext(connection) as queries:
            get(key, path.format(made.pk))
        counts.append(len(queries))
    assert counts[0] == counts[2]


def _place(level):
    return level.product_id, level.location_id


def test_each_row_of_a_report_has_its_own_outcome(hall, key):
    for sku in "ABCDE":
        product(hall, sku)
    rows = [
        {"sku": "A", "on_hand": 5},
        {"sku": "nobody's", "on_hand": 5},
        {"sku": "B", "on_hand": -1},
        {"sku": "B", "on_hand": 2**31},
        {"sku": "B", "on_hand": 2**70},
        {"sku": "B", "on_hand": True},
        {"sku": "B", "on_hand": "5"},
        {"sku": "B", "on_hand": 1.5},
        {"sku": "B"},
        {"sku": "B", "on_hand": None},
        {"sku": "B", "on_hand": 1, "change": 1},
        {"sku": "B", "on_hand": 1, "version": -1},
        {"sku": "B", "on_hand": 1, "version": "1"},
        {"sku": "B", "on_hand": 1, "observed_at": "yesterday"},
        {"sku": "B", "on_hand": 1, "observed_at": "2999-01-01T00:00:00Z"},
        {"sku": "B", "change": 1, "entry": 7},
        {"sku": "B", "on_hand": 1, "color": "red"},
        {"sku": "", "on_hand": 1},
        {"sku": 7, "on_hand": 1},
        {"on_hand": 1},
        None,
        "B",
        {"sku": "C", "change": 3, "entry": "e-1"},
        {"sku": "C", "change": 3, "entry": "e-1"},
        {"sku": "D", "on_hand": 4, "observed_at": "2026-11-21T13:00:00+01:00", "version": 2},
        {"sku": "E", "on_hand": 0},
    ]
    answer = send(key, hall, *rows, style="incremental")
    assert results(answer) == [
        "applied", "held", *["bad_quantity"] * 9, *["bad_version"] * 2, *["bad_time"] * 2, "bad_entry", "bad_row",
        *["bad_sku"] * 3, "bad_row", "bad_row", "applied", "duplicate", "applied", "unchanged",
    ]  # fmt: skip
    assert answer.json()["results"][:3] == [
        {"index": 0, "sku": "A", "result": "applied", "code": ""},
        {"index": 1, "sku": "nobody's", "result": "held", "code": ""},
        {"index": 2, "sku": "B", "result": "refused", "code": "bad_quantity"},
    ]
    assert sorted((row["sku"], row["in_stock"]) for row in get(key)["data"]) == [("A", 5), ("C", 3), ("D", 4), ("E", 0)]
    check()
    entry = Entry.objects.get(action="inventory.report")
    assert entry.after == {"applied": 3, "duplicate": 1, "held": 1, "refused": 20, "unchanged": 1}


def test_a_moment_out_of_reach_is_refused_in_its_row_alone(hall, key):
    product(hall)
    moments = ["0001-01-01T00:00:00+01:00", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59-01:00"]
    rows = [{"sku": "HAT-2", "on_hand": 1, "observed_at": moment} for moment in moments]
    assert results(send(key, hall, *rows, {"sku": "HAT-1", "on_hand": 5})) == [*["bad_time"] * 3, "applied"]
    assert [(row["sku"], row["in_stock"]) for row in get(key)["data"]] == [("HAT-1", 5)]
    assert not HeldReport.objects.exists()


@pytest.mark.parametrize("zone", ["+16:00", "-23:59"])
def test_a_moment_is_believed_in_any_zone(hall, key, zone):
    """Also in one that PostgreSQL does not know."""
    product(hall)
    row = {"sku": "HAT-1", "on_hand": 5, "observed_at": f"2026-11-20T12:00:00{zone}"}
    assert results(send(key, hall, row, style="incremental")) == ["applied"]
    assert StockLevel.objects.get().counted_at == datetime.fromisoformat(row["observed_at"])


def test_a_snapshot_counts_and_tells_no_changes(hall, key):
    product(hall)
    assert results(send(key, hall, {"sku": "HAT-1", "change": 1})) == ["bad_quantity"]


def test_a_snapshot_in_several_calls_is_complete_with_the_last(hall, key):
    for sku in "ABC":
        product(hall, sku)
        send(key, hall, {"sku": sku, "on_hand": 1})
    later = (timezone.now() + timedelta(minutes=4)).isoformat()  # by a clock that is ahead
    assert results(send(key, hall, {"sku": "A", "on_hand": 2}, observed_at=later)) == ["applied"]
    assert results(send(key, hall, {"sku": "B", "on_hand": 2}, observed_at=later, complete=True)) == ["applied"]
    assert {row["sku"]: row["in_stock"] for row in get(key)["data"]} == {"A": 2, "B": 2, "C": 0}


@pytest.mark.parametrize(
    ("fields", "attribute"),
    [
        ({"style": "weekly"}, "style"),
        ({"complete": True}, "observed_at"),
        ({"complete": True, "style": "incremental", "observed_at": NOON}, "complete"),
        ({"complete": "yes"}, "complete"),
        ({"observed_at": "noon"}, "observed_at"),
        ({"observed_at": "2999-01-01T00:00:00Z"}, "observed_at"),
        ({"observed_at": "0001-01-01T00:00:00+01:00"}, "observed_at"),
        ({"observed_at": "1969-12-31T23:59:59Z"}, "observed_at"),
        ({"version": -1}, "version"),
        ({"version": "1"}, "version"),
        ({"version": 2**63}, "version"),
        ({"reference": "r" * 256}, "reference"),
        ({"rows": [{}] * 5001}, "rows"),
        ({"rows": {}}, "rows"),
        ({"location_id": "hall"}, "location_id"),
        ({"warehouse": "hall"}, "warehouse"),
    ],
)
def test_a_report_that_is_none_is_refused_whole(hall, key, fields, attribute):
    product(hall)
    assert wrong(send(key, hall, {"sku": "HAT-1", "on_hand": 1}, **fields)) == [attribute]
    assert not StockLevel.objects.exists()


def test_a_warehouse_reports_for_its_own_locations_only(hall, key):
    """Behaviour 60, contracts 2.7."""
    product(hall)
    another = make_custom_integration(organization=hall.organization, org_wide_access=True)
    whole = make_key(integration=another)
    by_hand = make_location(organization=hall.organization)
    free = make_location(organization=hall.organization, kind=Location.Kind.EXTERNAL)
    theirs = make_location(organization=make_organization(), kind=Location.Kind.EXTERNAL)
    row = {"sku": "HAT-1", "on_hand": 1}
    assert said(send(whole, hall, row)) == (403, "location_of_another")
    assert said(send(whole, by_hand, row)) == (403, "location_of_another")
    assert said(send(key, by_hand, row)) == (404, "location_not_found")
    assert said(send(key, theirs, row)) == (404, "location_not_found")
    assert said(send(key, Location(pk=uuid4()), row)) == (404, "location_not_found")
    assert results(send(key, free, row)) == ["applied"]
    Location.objects.update(is_active=False)
    assert said(send(key, hall, row)) == (409, "location_not_active")
    assert StockMovement.objects.count() == 1


@pytest.mark.parametrize("category", ["shop", "erp", "shipping", "payment"])
def test_no_key_but_a_warehouses_reports_stock(category):
    """Behaviour 60."""
    integration = make_custom_integration(category=category, org_wide_access=True)
    place = make_location(integration=integration)
    answer = send(make_key(integration=integration), place, {"sku": "HAT-1", "on_hand": 1})
    assert said(answer) == (403, "stock_is_read_only")


def test_no_token_and_no_person_reports_stock(hall):
    """Behaviour 60: whatever was granted."""
    _shop, token = open_shop(make_partner_integration(organization=hall.organization))
    person = make_key(user=make_member(organization=hall.organization))
    for credential in (token, person):
        assert said(send(credential, hall, {"sku": "HAT-1", "on_hand": 1})) == (403, "forbidden")


def test_a_report_sent_again_under_its_key_is_answered_again(hall, key):
    product(hall)
    body = {"location_id": str(hall.pk), "style": "incremental", "rows": [{"sku": "HAT-1", "change": 2}]}
    headers = {"Idempotency-Key": "report-1"}
    answers = [call("POST", "v1/inventory/reports", body, token=key, headers=headers) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert StockLevel.objects.get().on_hand == 2
