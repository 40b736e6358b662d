"""Platforms are told our stock: the last number, once, by one sender; what fails waits, and nothing is lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
import requests
import responses
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from apps.api.models import Usage
from apps.catalog import owing, stocking
from apps.catalog.models import Listing, Location, Publication, StockFeed
from apps.integrations.connectors.base import StockTerms
from apps.integrations.models import Integration
from apps.shops.models import Connection
from apps.syncs import publishing, schedule, tasks
from tests.concurrency import in_thread
from tests.factories import make_integration, make_level, make_location

from .stock_platform import StockPlatform, make_stock_connection, make_variant, refusal

pytestmark = pytest.mark.django_db
BY = stocking.By("operator", "anna@foo-3pl.example")


@pytest.fixture
def web():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def platform(web) -> StockPlatform:
    known = StockPlatform()
    known.serve(web)
    return known


@pytest.fixture
def connection(platform) -> Connection:
    return make_stock_connection()


@pytest.fixture
def listing(connection) -> Listing:
    """Variant 7, of which there are ten, and the platform was never told."""
    made = make_variant(connection, "7")
    make_level(product=made.product, on_hand=10)
    owing.enlist(connection.shop)
    return made


def put(listing: Listing, pieces: int) -> None:
    """Somebody stores (or takes) so many pieces, and time passes until they are due."""
    place = listing.product.stock_levels.get().location_id
    [outcome] = stocking.change(
        listing.organization, [stocking.Change(listing.product_id, place, on_hand=pieces)], by=BY
    )
    assert not outcome.refused
    let_time_pass()


def let_time_pass() -> None:
    """What is due within a minute is due now; whoever is at work stays at it."""
    soon = timezone.now() + timedelta(minutes=1)
    Publication.objects.filter(due_at__lt=soon, is_being_told=False).update(due_at=timezone.now())


def told(listing: Listing) -> Publication:
    return Publication.objects.get(listing=listing)


def tell(connection: Connection) -> bool:
    return publishing.tell(connection.shop_id)


# ---- What is told


def test_a_platform_is_told_what_may_be_sold(connection, listing, platform):
    Integration.objects.update(stock_buffer=3)
    assert tell(connection) is False
    assert platform.tellings == [{"7": 7}]
    row = told(listing)
    assert (row.quantity, row.due_at, row.is_being_told, row.error, row.tries) == (7, None, False, "", 0)
    feed = StockFeed.objects.get()
    assert (feed.error, feed.tries, feed.lease_until, feed.told_at >= row.told_at) == ("", 0, None, True)


def test_many_changes_become_one_telling_of_the_last_number(connection, listing, platform):
    for _ in range(50):
        put(listing, 1)
    tell(connection)
    assert platform.tellings == [{"7": 60}]


def test_what_the_platform_knows_already_is_not_told_again(connection, listing, platform):
    tell(connection)
    put(listing, 5)
    put(listing, -5)
    tell(connection)
    assert (platform.tellings, told(listing).due_at) == ([{"7": 10}], None)


def test_what_nobody_counted_is_not_told_as_nothing(connection, listing, platform):
    uncounted = make_variant(connection, "8")
    owing.enlist(connection.shop)
    Publication.objects.update(due_at=timezone.now())
    tell(connection)
    assert platform.tellings == [{"7": 10}]
    assert (told(uncounted).quantity, told(uncounted).told_at, told(uncounted).due_at) == (None, None, None)


def test_what_is_not_linked_or_switched_off_is_left_out(connection, listing, platform):
    for variant, fields in {"8": {"status": "unlinked"}, "9": {"stock_sync_enabled": False}}.items():
        make_level(product=make_variant(connection, variant, **fields).product)
    owing.enlist(connection.shop)
    tell(connection)
    assert platform.tellings == [{"7": 10}]


def test_a_place_that_is_closed_is_told_as_less(connection, listing, platform):
    other = make_location(organization=connection.organization)
    make_level(product=listing.product, location=other, on_hand=5)
    tell(connection)
    Location.objects.filter(pk=other.pk).update(is_active=False)
    owing.owe_location(other)
    let_time_pass()
    tell(connection)
    assert platform.tellings == [{"7": 15}, {"7": 10}]


def test_the_same_product_in_two_shops_is_told_to_both_with_their_own_buffers(connection, listing, platform):
    second = make_stock_connection(organization=connection.organization)
    Integration.objects.filter(pk=second.integration_id).update(stock_buffer=4)
    make_variant(second, "70", product=listing.product)
    owing.enlist(second.shop)
    tell(connection), tell(second)
    assert platform.tellings == [{"7": 10}, {"70": 6}]


def test_batches_are_as_large_as_the_platform_likes_best(connection, platform, monkeypatch):
    monkeypatch.setattr(Integration, "kind", _terms(connection.integration.kind, batch=2))
    for variant in "12345":
        make_level(product=make_variant(connection, variant).product)
    owing.enlist(connection.shop)
    tell(connection)
    assert [len(one) for one in platform.tellings] == [2, 2, 1]


def _terms(kind, **terms):
    object.__setattr__(
        made := type(kind)(**{name: getattr(kind, name) for name in kind.__slots__}), "stock", StockTerms(**terms)
    )
    return made


# ---- Changes while a platform is being told


def test_a_change_during_the_call_is_told_afterwards_so_that_the_last_number_wins(connection, listing, platform):
    def change_once():
        platform.meanwhile = lambda: None
        put(listing, 5)

    platform.meanwhile = change_once
    tell(connection)
    let_time_pass()
    tell(connection)
    assert platform.tellings == [{"7": 10}, {"7": 15}]
    assert (told(listing).quantity, told(listing).due_at) == (15, None)


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_not_committed_when_its_row_is_taken_is_not_lost(connection, listing, platform):
    """The sender passes the row by: it cannot know the number that is being written."""
    changed, told_meanwhile = Event(), Event()

    def change_slowly():
        with transaction.atomic():
            put_in = stocking.Change(listing.product_id, listing.product.stock_levels.get().location_id, on_hand=5)
            stocking.change(listing.organization, [put_in], by=BY)
            changed.set()
            told_meanwhile.wait(10)

    with ThreadPoolExecutor(1) as pool:
        writing = in_thread(pool, change_slowly)
        assert changed.wait(10)
        tell(connection)
        assert platform.tellings == []
        told_meanwhile.set()
        writing.result()
    let_time_pass()
    tell(connection)
    assert platform.tellings == [{"7": 15}]


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_during_the_call(connection, listing, platform):
    open_during_the_call = []
    platform.meanwhile = lambda: open_during_the_call.append(database.in_atomic_block)
    tell(connection)
    assert open_during_the_call == [False]


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_tell_one_shop_at_once(connection, listing, platform):
    second = []
    with ThreadPoolExecutor(1) as pool:
        platform.meanwhile = lambda: second.append(in_thread(pool, lambda: tell(connection)).result())
        tell(connection)
    assert (second, platform.tellings) == ([False], [{"7": 10}])


# ---- Senders that die


class Killed(BaseException):
    """What happens to a process: nothing catches it."""


def test_a_sender_that_died_after_the_call_is_followed_by_one_that_tells_it_again(
    connection, listing, platform, monkeypatch
):
    def die(*arguments):
        raise Killed

    monkeypatch.setattr(publishing, "_record", die)
    monkeypatch.setattr(publishing, "release", lambda feed: None)
    with pytest.raises(Killed):
        tell(connection)
    monkeypatch.undo()
    assert tell(connection) is False, "the lease of the dead sender still holds"
    assert len(platform.tellings) == 1
    platform.stock.clear()
    StockFeed.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    Publication.objects.update(due_at=timezone.now())
    tell(connection)
    assert platform.tellings == [{"7": 10}, {"7": 10}]
    assert (told(listing).quantity, told(listing).due_at) == (10, None)


def test_a_sender_that_lost_its_lease_notes_nothing_and_has_its_rows_told_anew(connection, listing, platform):
    platform.meanwhile = lambda: StockFeed.objects.update(fence=99)
    assert tell(connection) is False
    row = told(listing)
    assert (row.quantity, row.told_at, row.due_at <= timezone.now()) == (None, None, True)


# ---- What goes wrong


@pytest.mark.parametrize(
    ("answer", "code", "seconds"),
    [
        (requests.ConnectionError("down"), "unreachable", 1),
        (refusal(500), "server_error", 1),
        (refusal(503, Retry_After="40"), "server_error", 40),
        (refusal(429), "rate_limited", 15),
        (refusal(429, Retry_After="7"), "rate_limited", 7),
        (refusal(429, Retry_After="999999"), "rate_limited", 3600),
        (refusal(403), "forbidden", 600),
    ],
)
def test_a_platform_that_cannot_be_told_has_all_wait_and_blames_no_sku(
    connection, listing, platform, answer, code, seconds
):
    platform.wrong = [answer]
    began = timezone.now()
    assert tell(connection) is False
    feed, row = StockFeed.objects.get(), told(listing)
    assert (feed.error, feed.tries, feed.lease_until) == (code, 1, None)
    assert seconds - 0.5 < (feed.next_attempt_at - began).total_seconds() < seconds + 5
    assert (row.error, row.tries, row.is_being_told, row.due_at <= timezone.now()) == ("", 0, False, True)
    assert tell(connection) is False
    assert platform.tellings == []
    StockFeed.objects.update(next_attempt_at=began)
    tell(connection)
    feed.refresh_from_db()
    assert (platform.tellings, feed.error, feed.tries, feed.next_attempt_at) == ([{"7": 10}], "", 0, None)


def test_each_failure_in_a_row_waits_longer(connection, listing, platform):
    waits = []
    for _ in range(7):
        platform.wrong = [refusal(500)]
        StockFeed.objects.update(next_attempt_at=None)
        began = timezone.now()
        tell(connection)
        waits.append(round((StockFeed.objects.get().next_attempt_at - began).total_seconds()))
    assert waits == [1, 2, 5, 15, 60, 300, 300]


def test_one_bad_sku_fails_alone_and_is_tried_again_later_each_time(connection, listing, platform):
    bad, gone = make_variant(connection, "8"), make_variant(connection, "9")
    make_level(product=bad.product, on_hand=20_000)
    make_level(product=gone.product)
    platform.missing = {"9"}
    owing.enlist(connection.shop)
    tell(connection)
    assert platform.stock == {"7": 10}
    assert {one.listing: (one.quantity, one.error, one.tries) for one in Publication.objects.all()} == {
        listing: (10, "", 0),
        bad: (None, "rejected", 1),
        gone: (None, "not_found", 1),
    }
    minutes = [round((told(bad).due_at - timezone.now()).total_seconds() / 60)]
    for _ in range(5):
        Publication.objects.filter(listing=bad).update(due_at=timezone.now())
        tell(connection)
        minutes.append(round((told(bad).due_at - timezone.now()).total_seconds() / 60))
    assert minutes == [1, 5, 30, 120, 720, 720]


def test_a_bad_sku_that_is_mended_is_told(connection, listing, platform):
    platform.missing = {"7"}
    tell(connection)
    assert told(listing).error == "not_found"
    platform.missing = set()
    Publication.objects.update(due_at=timezone.now())
    tell(connection)
    assert (told(listing).error, told(listing).tries, platform.tellings) == ("", 0, [{"7": 10}])


def test_a_lost_permission_holds_everything_until_the_owner_logs_in_again(connection, listing, platform):
    platform.wrong = [refusal(401), refusal(401)]
    assert tell(connection) is False
    integration = Integration.objects.get(pk=connection.integration_id)
    assert (integration.state, StockFeed.objects.get().error) == ("needs_reconnect", "unauthorized")
    assert tell(connection) is False
    integration.connect(integration.account_ref, "Great Hats")
    tell(connection)
    assert platform.tellings == [{"7": 10}]


def test_an_answer_that_is_not_one_for_each_row_is_not_believed(connection, listing, platform, monkeypatch):
    monkeypatch.setattr("apps.integrations.connectors.vendure.client.VendureClient.put_stock", lambda *given: [])
    tell(connection)
    assert (StockFeed.objects.get().error, told(listing).quantity) == ("garbled", None)


def test_a_bug_of_ours_is_noted_and_the_row_is_told_later(connection, listing, platform, monkeypatch):
    monkeypatch.setattr(publishing, "_row", lambda *given: 1 / 0)
    tell(connection)
    assert StockFeed.objects.get().error == "bug"
    assert told(listing).due_at > timezone.now()


# ---- Held: nothing is sent, and what is owed is sent afterwards


@pytest.mark.parametrize(
    ("model", "held", "free"),
    [
        (Connection, {"state": "paused"}, {"state": "active"}),
        (Integration, {"state": "disabled"}, {"state": "connected"}),
        (Integration, {"stock_sync_enabled": False}, {"stock_sync_enabled": True}),
    ],
)
def test_what_is_held_is_owed_and_sent_afterwards(connection, listing, platform, model, held, free):
    model.objects.update(**held)
    put(listing, 5)
    schedule.tell_due_stock()
    assert (tell(connection), platform.tellings) == (False, [])
    model.objects.update(**free)
    tell(connection)
    assert platform.tellings == [{"7": 15}]


def test_an_inactive_organization_is_held_too(connection, listing, platform):
    type(connection.organization).objects.update(is_active=False)
    assert (tell(connection), platform.tellings) == (False, [])


def test_pausing_while_rows_are_waiting_stops_before_the_next_batch(connection, listing, platform, monkeypatch):
    monkeypatch.setattr(Integration, "kind", _terms(connection.integration.kind, batch=1))
    make_level(product=make_variant(connection, "8").product)
    owing.enlist(connection.shop)
    platform.meanwhile = lambda: Connection.objects.update(state="paused")
    assert tell(connection) is False
    assert len(platform.tellings) == 1
    assert Publication.objects.due().count() == 1


# ---- The budget of an account


def test_all_shops_of_an_account_share_one_budget(connection, listing, platform, monkeypatch):
    monkeypatch.setattr(Integration, "kind", _terms(connection.integration.kind, per_second=0.01, burst=1))
    second = make_stock_connection(integration=connection.integration)
    make_level(product=make_variant(second, "8").product)
    owing.enlist(second.shop)
    assert (tell(connection), tell(second)) == (False, False)
    assert platform.tellings == [{"7": 10}]
    feed = StockFeed.objects.get(shop=second.shop)
    assert (feed.error, feed.tries, feed.next_attempt_at > timezone.now() + timedelta(seconds=60)) == ("", 0, True)
    assert Usage.objects.count() == 1
    Usage.objects.update(level=1, last_at=timezone.now())
    StockFeed.objects.update(next_attempt_at=None)
    tell(second)
    assert platform.tellings == [{"7": 10}, {"8": 10}]


def test_another_account_has_a_budget_of_its_own(connection, listing, platform, monkeypatch):
    monkeypatch.setattr(Integration, "kind", _terms(connection.integration.kind, per_second=0.01, burst=1))
    second = make_stock_connection()
    make_level(product=make_variant(second, "8").product)
    owing.enlist(second.shop)
    tell(connection), tell(second)
    assert platform.tellings == [{"7": 10}, {"8": 10}]


def test_when_the_platform_asks_to_slow_down_all_shops_of_the_account_wait(connection, listing, platform):
    second = make_stock_connection(integration=connection.integration)
    stranger = make_stock_connection()
    for each in (second, stranger):
        owing.enlist(each.shop)
    platform.wrong = [refusal(429, Retry_After="30")]
    tell(connection)
    waiting = StockFeed.objects.exclude(next_attempt_at=None)
    assert {feed.shop for feed in waiting} == {connection.shop, second.shop}


# ---- The doorbell and the sweep


def test_the_doorbells_name_is_that_of_the_task():
    assert tasks.tell_stock.name == owing.TELL


def test_the_sweep_rings_for_what_is_due_and_for_nothing_else(connection, listing, platform, monkeypatch):
    rung = []
    monkeypatch.setattr(schedule, "tell_soon", rung.append)
    schedule.tell_due_stock()
    assert rung == [connection.shop_id]
    tell(connection)
    schedule.tell_due_stock()
    assert rung == [connection.shop_id]


def test_the_sweep_asks_one_question_when_nothing_is_due(listing, django_assert_num_queries):
    Publication.objects.update(due_at=None)
    with django_assert_num_queries(1):
        schedule.tell_due_stock()


@pytest.mark.parametrize("listings", [1, 3])
def test_telling_takes_as_many_statements_for_any_number_of_skus(
    connection, platform, listings, django_assert_num_queries
):
    for variant in "789"[:listings]:
        make_level(product=make_variant(connection, variant).product)
    owing.enlist(connection.shop)
    feed = StockFeed.objects.due().claim(connection.shop_id)
    with django_assert_num_queries(18):
        publishing.tell_batch(feed)
    assert len(platform.stock) == listings


@pytest.mark.parametrize("shops", [1, 3])
def test_the_sweep_takes_one_statement_for_any_number_of_shops(platform, shops, django_assert_num_queries, monkeypatch):
    rung = []
    monkeypatch.setattr(schedule, "tell_soon", rung.append)
    for n in range(shops):
        connection = make_stock_connection(integration=make_integration(connector="vendure"))
        make_level(product=make_variant(connection, str(n)).product)
        owing.enlist(connection.shop)
    with django_assert_num_queries(1):
        schedule.tell_due_stock()
    assert len(rung) == shops
