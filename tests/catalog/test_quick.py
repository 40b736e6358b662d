"""The quick lane for reports of stock does what the careful one does, or nothing."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from apps.accounts.models import Organization
from apps.api import lanes, limits
from apps.api.models import Answer, Usage
from apps.audit.models import Entry
from apps.catalog import owing, quick, stocking
from apps.catalog.models import Location, Product, Publication, StockLevel, StockMovement
from apps.catalog.news import when_stock_rose
from apps.catalog.stocking import By, Change
from apps.integrations.models import ApiKey, Integration, PartnerConnector
from apps.orders.models import Nudge
from apps.webhooks.models import Event, Outgoing
from tests.concurrency import in_thread, wait_until_blocked
from tests.factories import (
    make_custom_integration,
    make_integration,
    make_key,
    make_level,
    make_listing,
    make_location,
    make_pair,
    make_product,
    make_publication,
)

from .stock import check

# The quick lane gives up by an error of its statement, which would end a test's own transaction.
pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
CHANGING = {
    "id",
    "at",
    "occurred_at",
    "created_at",
    "updated_at",
    "counted_at",
    "request_id",
    "last_at",
    "calls",
    "level",
}
CHANGING |= {"due_at", "told_at", "event_id"}


@pytest.fixture(autouse=True)
def nothing_known():
    quick._known.clear()


@pytest.fixture
def hall() -> Location:
    """A warehouse's, in which five of HAT-1 and one of CAP-1 were put long ago."""
    warehouse = make_custom_integration(category="logistics", name="Noord")
    hall = make_location(integration=warehouse, name="Hall 1", kind=Location.Kind.EXTERNAL)
    for sku, pieces in (("HAT-1", 5), ("CAP-1", 1)):
        product = make_product(organization=hall.organization, sku=sku)
        stocking.change(hall.organization, [Change(product.pk, hall.pk, on_hand=pieces)], by=By("operator", "Anna"))
    StockLevel.objects.update(updated_at=LONG_AGO)
    return hall


@pytest.fixture
def key(hall) -> str:
    return make_key(integration=hall.integration, name="scanner")


def body(hall: Location, *rows: Any, **fields: Any) -> dict[str, Any]:
    told = [{"sku": sku, "on_hand": pieces} for sku, pieces in rows] or [{"sku": "HAT-1", "on_hand": 7}]
    return {"location_id": str(hall.pk), "style": "snapshot", "rows": told} | fields


def request(key: str, told: Any, query: str = "", **headers: str) -> Any:
    data = told if isinstance(told, bytes) else json.dumps(told)
    headers = headers or {"X-Api-Key": key}
    path = f"/api/v1/inventory/reports{query}"
    return RequestFactory().post(path, data, content_type="application/json", headers=headers)


def post(key: str, told: Any, **headers: str) -> Any:
    data = told if isinstance(told, bytes) else json.dumps(told)
    headers = headers or {"X-Api-Key": key}
    return Client().post("/api/v1/inventory/reports", data, content_type="application/json", headers=headers)


def stored() -> dict[str, list[Any]]:
    """All rows that a report leaves, but for what differs between any two."""
    models = (StockLevel, StockMovement, Event, Outgoing, Entry, Usage, Publication, Nudge, Answer)
    return {
        model.__name__: [
            {name: value for name, value in row.items() if name not in CHANGING} | {"is_due": bool(row.get("due_at"))}
            for row in model.objects.order_by("pk").values()
        ]
        for model in models
    }


def again() -> None:
    """As it was before any report."""
    tables = "catalog_stockmovement, webhooks_event, audit_entry, api_usage, orders_nudge"
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} CASCADE")
    StockLevel.objects.update(version=0, on_hand=1, updated_at=LONG_AGO, counted_at=LONG_AGO, counted_version=None)
    StockLevel.objects.filter(product__sku="HAT-1").update(on_hand=5)
    Publication.objects.update(due_at=None)


def told(response: Any) -> tuple[Any, ...]:
    """An answer, but for what differs between any two."""
    names = sorted(set(response.headers) - {"X-Request-Id", "RateLimit-Remaining", "RateLimit-Reset"})
    return response.status_code, {n: response.headers[n] for n in names}, response.json() | {"request_id": ""}


REPORTS = {
    "more": body,
    "less": lambda hall: body(hall, ("HAT-1", 2)),
    "two rows": lambda hall: body(hall, ("CAP-1", 9), ("HAT-1", 0)),
    "in the warehouse's words": lambda hall: body(hall, ("0815", 9), ("HAT-1", 6)),
    "with a version": lambda hall: body(hall, version=7, reference="list 12"),
    "of some time ago": lambda hall: body(hall, observed_at="2026-11-01T12:00:00Z"),
}


@pytest.mark.parametrize("report", REPORTS)
def test_both_lanes_leave_the_same_rows_and_give_the_same_answer(monkeypatch, hall, key, report):
    make_pair(integration=hall.integration, first="CAP-1", second="0815")
    listing = make_listing(product=Product.objects.get(sku="HAT-1"))
    make_publication(listing=listing, told_at=LONG_AGO)
    said, found = REPORTS[report](hall), []
    with monkeypatch.context() as careful:
        careful.setattr(quick, "_facts", lambda request: None)
        again()
        found.append((told(post(key, said)), stored()))
    again()
    found.append((told(post(key, said)), stored()))
    assert found[0] == found[1]
    assert found[1][1]["StockMovement"] and found[1][1]["Event"] and found[1][1]["Entry"]
    again()
    assert quick.take(request(key, said)).status_code == 200  # it was not the careful lane twice


def test_a_report_is_one_message_to_the_database(hall, key):
    assert quick.take(request(key, body(hall))).status_code == 200  # the first call learns whose key it is
    with CaptureQueriesContext(connection) as asked:
        assert quick.take(request(key, body(hall, ("HAT-1", 9)))).status_code == 200
    [message] = [query["sql"] for query in asked]
    # It is counted, platforms are owed the new number, and orders may wait for it.
    assert [part.split()[0] for part in message.split("; ")] == ["EXECUTE"] * 3


def test_who_is_owed_the_number_is_rung_for_and_orders_only_when_there_is_more(monkeypatch, hall, key):
    listing = make_listing(product=Product.objects.get(sku="HAT-1"))
    make_publication(listing=listing, told_at=LONG_AGO)
    again()
    rung: list[Any] = []
    monkeypatch.setattr(owing, "_send", rung.append)
    [(statement, _)] = when_stock_rose
    monkeypatch.setattr(quick, "when_stock_rose", [(statement, lambda: rung.append("orders"))])
    for pieces, found in [(9, [listing.shop_id, "orders"]), (2, [])]:  # of the second, the shop was rung for already
        assert quick.take(request(key, body(hall, ("HAT-1", pieces)))).status_code == 200
        assert rung == found
        rung.clear()


def closed(**changes: Any) -> Any:
    """Something about whoever calls that ends their permission."""

    def close(hall: Location) -> None:
        integration = hall.integration
        for name, values in changes.items():
            rows = {
                "key": ApiKey.objects.filter(integration=integration),
                "integration": Integration.objects.filter(pk=integration.pk),
                "partner": PartnerConnector.objects.filter(pk=integration.partner_id),
                "organization": Organization.objects.filter(pk=integration.organization_id),
                "location": Location.objects.filter(pk=hall.pk),
            }
            assert rows[name].update(**values) == 1

    return close


ENDS = {
    "terminated": closed(key={"revoked_at": LONG_AGO}),
    "past its overlap": closed(key={"expires_at": LONG_AGO}),
    "without the grant": closed(key={"all_grants": False, "grants": ["inventory:read"]}),
    "of an integration without the grant": closed(integration={"grants": ["inventory:read"]}),
    "disabled": closed(integration={"state": "disabled"}),
    "of a definition that is gone": closed(partner={"deactivated_at": LONG_AGO}),
    "of a shop by now": closed(partner={"category": "shop"}),
    "of an organization that is closed": closed(organization={"is_active": False}),
    "at a place that is closed": closed(location={"is_active": False}),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_permission_that_ended_ends_at_once(monkeypatch, hall, key, end):
    assert quick.take(request(key, body(hall))).status_code == 200
    ENDS[end](hall)
    before = stored()
    assert quick.take(request(key, body(hall, ("HAT-1", 3)))) is None
    assert stored() == before
    quickly = post(key, body(hall, ("HAT-1", 3)))
    monkeypatch.setattr(quick, "_facts", lambda request: None)
    assert quickly.status_code in (400, 401, 403, 409)
    assert told(quickly) == told(post(key, body(hall, ("HAT-1", 3))))


def test_somebody_elses_place_is_left_to_the_careful_lane(hall, key):
    elsewhere = make_custom_integration(category="logistics", organization=hall.organization)
    neighbours = make_location(integration=elsewhere, kind=Location.Kind.EXTERNAL)
    manual = make_location(organization=hall.organization, name="Shelf")
    strangers = make_location(integration=make_custom_integration(category="logistics"))
    for place in (neighbours, manual, strangers):
        sku = f"SKU-{place.name}"
        product = make_product(organization=place.organization, sku=sku)
        make_level(product=product, location=place, on_hand=1, updated_at=LONG_AGO)
        assert quick.take(request(key, body(place, (sku, 9)))) is None
    assert not Entry.objects.exists()


def test_an_external_place_that_names_nobody_is_counted_by_any_warehouse(hall, key):
    free = make_location(organization=hall.organization, name="Dock", kind=Location.Kind.EXTERNAL)
    make_level(product=Product.objects.get(sku="HAT-1"), location=free, on_hand=1, updated_at=LONG_AGO)
    assert quick.take(request(key, body(free))).status_code == 200
    assert StockLevel.objects.get(location=free).on_hand == 7


def known(**fields: Any) -> Any:
    """What is believed of HAT-1, or of the whole place, before the report comes."""

    def believe(hall: Location) -> None:
        level = {name: value for name, value in fields.items() if name != "place"}
        StockLevel.objects.filter(product__sku="HAT-1").update(**level)
        Location.objects.filter(pk=hall.pk).update(**fields.get("place", {}))

    return believe


NEWS, OLD = {"observed_at": "2026-11-01T12:00:00Z"}, {"version": 3}
DAY = datetime(2026, 11, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 11, 2, tzinfo=UTC)
THINKING = {
    "nothing new": (known(on_hand=7), {}),
    "gone without our knowing": (known(missing=2), {}),
    "changed since": (known(updated_at=LATER), NEWS),
    "counted since": (known(counted_at=LATER), NEWS),
    "counted at the same moment": (known(counted_at=DAY), NEWS),
    "of an older version": (known(counted_version=4, counted_at=LONG_AGO), OLD),
    "of a version, and now of none": (known(counted_version=4, counted_at=LONG_AGO), {}),
    "all counted since": (known(place={"counted_at": LATER}), NEWS),
    "all counted with a newer version": (known(place={"counted_at": LONG_AGO, "counted_version": 4}), OLD),
}


@pytest.mark.parametrize("case", THINKING)
def test_what_wants_thought_is_left_to_the_careful_lane(hall, key, case):
    believe, fields = THINKING[case]
    believe(hall)
    before = stored()
    assert quick.take(request(key, body(hall, ("HAT-1", 7), ("CAP-1", 4), **fields))) is None
    assert stored() == before  # not even the row that is new
    assert post(key, body(hall, ("HAT-1", 7), ("CAP-1", 4), **fields)).status_code == 200


OTHERS = {
    "an unknown SKU": lambda hall: body(hall, ("HAT-1", 7), ("WIG-1", 1)),
    "a SKU twice": lambda hall: body(hall, ("HAT-1", 7), ("HAT-1", 8)),
    "a product twice": lambda hall: body(hall, ("CAP-1", 7), ("0815", 8)),
    "a complete count": lambda hall: body(hall, complete=True, observed_at=timezone.now().isoformat()),
    "changes": lambda hall: body(hall, style="incremental"),
    "a time of its own": lambda hall: (
        body(hall) | {"rows": [{"sku": "HAT-1", "on_hand": 7, "observed_at": "2026-11-01T12:00:00Z"}]}
    ),
    "no rows": lambda hall: body(hall) | {"rows": []},
    "many rows": lambda hall: body(hall, *((f"SKU-{n}", n) for n in range(21))),
    "a wrong row": lambda hall: body(hall, ("HAT-1", 7), ("CAP-1", -1)),
    "a row that is none": lambda hall: body(hall) | {"rows": [1]},
    "an unknown name": lambda hall: body(hall, colour="red"),
    "no place": lambda hall: body(hall) | {"location_id": "nowhere"},
    "no JSON": lambda hall: b"{",
    "the same name twice": lambda hall: b'{"rows": [], "rows": []}',
}


@pytest.mark.parametrize("other", OTHERS)
def test_any_other_report_is_left_to_the_careful_lane(monkeypatch, hall, key, other):
    make_pair(integration=hall.integration, first="CAP-1", second="0815")
    make_level(product=make_product(organization=hall.organization, sku="SKU-0"), location=hall, updated_at=LONG_AGO)
    assert quick.take(request(key, body(hall, ("HAT-1", 6)))).status_code == 200
    before = stored()
    assert quick.take(request(key, OTHERS[other](hall))) is None
    assert stored() == before
    assert post(key, OTHERS[other](hall)).status_code in (200, 400, 404, 422)


@pytest.mark.parametrize(
    "headers", [{"Idempotency-Key": "one"}, {"X-Pipe17-Key": "{key}"}, {"Content-Encoding": "gzip"}], ids=str
)
def test_a_call_out_of_the_ordinary_is_left_to_the_careful_lane(hall, key, headers):
    given = {"X-Api-Key": key} | {name: value.format(key=key) for name, value in headers.items()}
    assert quick.take(request(key, body(hall), **given)) is None
    assert quick.take(request(key, body(hall), "?a=b")) is None


@pytest.mark.parametrize("name", ["X-Api-Key", "X-Pipe17-Key", "Authorization"])
def test_a_key_comes_in_any_header_that_the_careful_lane_reads(hall, key, name):
    value = f"Bearer {key}" if name == "Authorization" else key
    assert quick.take(request(key, body(hall), **{name: value})).status_code == 200


def test_a_shops_key_takes_the_careful_lane(hall):
    key = make_key(integration=make_integration(organization=hall.organization))
    assert quick.take(request(key, body(hall))) is None


def test_a_renamed_key_is_named_as_it_is_called_now(hall, key):
    post(key, body(hall))
    ApiKey.objects.update(name="dock scanner")
    for pieces in (8, 9):
        assert post(key, body(hall, ("HAT-1", pieces))).status_code == 200
    names = [entry.actor.split(" (")[0] for entry in Entry.objects.filter(action="inventory.report").order_by("pk")]
    assert names == ["Integration key scanner", "Integration key dock scanner", "Integration key dock scanner"]


def test_the_trail_is_in_english_whatever_the_caller_reads(hall, key):
    with translation.override("nl"):
        assert quick.take(request(key, body(hall))).status_code == 200
    assert Entry.objects.get(action="inventory.report").actor.startswith("Integration key scanner")


def test_a_call_too_many_is_refused_and_counts_nothing(monkeypatch, hall, key):
    monkeypatch.setattr(limits, "CALLS", limits.Rate(0.001, 2))
    answers = [post(key, body(hall, ("HAT-1", pieces))) for pieces in (6, 7, 8)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert [one.headers["RateLimit-Remaining"] for one in answers] == ["1", "0", "0"]
    assert StockLevel.objects.get(product__sku="HAT-1").on_hand == 7


def test_a_report_waits_for_whoever_changes_the_stock_and_judges_what_it_finds(hall, key):
    hat = Product.objects.get(sku="HAT-1")
    quick._learn(quick.digest_of(key))
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            stocking.change(hall.organization, [Change(hat.pk, hall.pk, reserved=2)], by=By("operator", "Anna"))
            answer = in_thread(pool, lambda: post(key, body(hall)))
            wait_until_blocked()
        assert answer.result().json()["results"] == [{"index": 0, "sku": "HAT-1", "result": "applied", "code": ""}]
    level = StockLevel.objects.get(product=hat)
    assert (level.on_hand, level.reserved, level.version) == (7, 2, 3)
    check()


def test_many_at_once_leave_a_ledger_that_adds_up(hall, key):
    def send(pieces: int) -> int:
        try:
            return post(key, body(hall, ("HAT-1", pieces), ("CAP-1", pieces + 1))).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=8) as pool:
        assert set(pool.map(send, range(10, 34))) == {200}
    moved = StockMovement.objects.filter(level__product__sku="HAT-1").order_by("sequence")
    assert [one.sequence for one in moved] == list(range(1, len(moved) + 1))
    check()


def test_the_answer_that_nobody_can_give_is_try_again(monkeypatch, hall, key):
    assert post(key, body(hall)).status_code == 200

    def torn(*_given: Any, **_named: Any) -> None:
        raise OperationalError("the connection is gone")

    monkeypatch.setattr(lanes, "ask_all", torn)
    answer = post(key, body(hall, ("HAT-1", 3)))
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "try_again", "1")
