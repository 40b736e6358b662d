"""The sync of product stocks (behaviours 39 and 40): everything told anew, as a run that can be read."""

import re
from datetime import timedelta

import pytest
import responses
from django.utils import timezone

from apps.api.errors import Problem
from apps.catalog import owing
from apps.catalog.models import Publication, StockFeed, StockLevel
from apps.integrations.models import Integration
from apps.shops.models import Connection
from apps.syncs import publishing, queueing, running
from apps.syncs.acting import offered
from apps.syncs.models import SyncRun
from tests.conftest import OTTER
from tests.factories import make_application_token, make_connection, make_custom_integration, make_level, make_run

from .platform import Platform, fresh, item, work_on, work_out
from .stock_platform import StockPlatform, make_stock_connection, make_variant, refusal

pytestmark = pytest.mark.django_db
State = SyncRun.State


@pytest.fixture
def platform() -> StockPlatform:
    known = StockPlatform()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as web:
        known.serve(web)
        yield known


@pytest.fixture
def connection(platform) -> Connection:
    """A store whose products 7 and 8 were told, and of whose 9 nobody knows how many there are."""
    made = make_stock_connection()
    for variant in "78":
        make_level(product=make_variant(made, variant).product)
    make_variant(made, "9")
    owing.enlist(made.shop)
    publishing.tell(made.shop_id)
    platform.tellings.clear()
    platform.stock.clear()
    return made


@pytest.fixture
def run(connection) -> SyncRun:
    return make_run(connection=connection, kind=SyncRun.Kind.STOCK)


def test_everything_is_told_again_also_what_the_platform_was_told_before(run, platform):
    run = work_on(run)
    assert (run.state, run.error, run.detail) == (State.SUCCEEDED, "", "")
    assert (run.done, run.total, run.updated_count, run.failed_count) == (2, 2, 2, 0)
    assert platform.stock == {"7": 10, "8": 10}
    assert StockFeed.objects.get().lease_until is None


def test_what_the_platform_does_not_take_is_listed_with_its_reason(run, platform):
    platform.missing = {"8"}
    run = work_on(run)
    assert (run.state, run.done, run.total, run.updated_count, run.failed_count) == (State.PARTIAL, 2, 2, 1, 1)
    sku = Publication.objects.get(listing__ext_variant_id="8").listing.sku
    assert list(run.failures.values_list("ref", "code")) == [(sku, "not_found")]


def test_a_shop_that_was_not_enlisted_yet_is(platform):
    connection = make_stock_connection()
    make_level(product=make_variant(connection, "5").product, on_hand=4)
    run = work_on(make_run(connection=connection, kind=SyncRun.Kind.STOCK))
    assert (run.state, platform.stock) == (State.SUCCEEDED, {"5": 4})


def test_a_platform_that_is_down_is_tried_again_and_the_run_fails_in_the_end(run, platform):
    platform.wrong = [refusal(500)]
    assert (work_on(run).state, fresh(run).error, fresh(run).tries) == (State.QUEUED, "server_error", 1)
    assert work_out(run).state == State.SUCCEEDED
    again = make_run(connection=run.shop.connections.get(), kind=SyncRun.Kind.STOCK)
    platform.wrong = [refusal(500) for _ in range(9)]
    assert work_out(again).state == State.FAILED
    assert Publication.objects.due().count() == 2, "they are still owed, and told when the platform is back"


def test_while_somebody_else_tells_the_shop_the_run_waits_for_its_turn(run, platform, monkeypatch):
    monkeypatch.setattr(publishing, "BUSY_SECONDS", 0)
    StockFeed.objects.update(lease_until=timezone.now() + timedelta(seconds=60), fence=7)
    assert running.run(run.pk) is True
    assert (fresh(run).state, platform.tellings, StockFeed.objects.get().fence) == (State.QUEUED, [], 7)
    StockFeed.objects.update(lease_until=None)
    assert work_on(run).state == State.SUCCEEDED


def test_a_run_that_is_paused_stays_where_it_is_and_goes_on(run, platform):
    platform.meanwhile = lambda: Connection.objects.update(state="paused")
    assert work_on(run).state == State.QUEUED
    platform.meanwhile = lambda: None
    Connection.objects.update(state="active")
    assert (work_on(run).state, platform.stock) == (State.SUCCEEDED, {"7": 10, "8": 10})


def test_a_sync_that_was_switched_off_after_it_was_asked_for_ends_with_a_reason(run, platform):
    Integration.objects.update(stock_sync_enabled=False)
    assert (work_on(run).state, fresh(run).error, platform.tellings) == (State.FAILED, "stock_off", [])


def test_a_cancelled_run_tells_nothing_more(run, platform):
    SyncRun.objects.update(cancel_requested=True)
    assert (work_on(run).state, platform.tellings) == (State.CANCELLED, [])


def test_behaviour_39_asking_returns_the_run_at_once_and_tells_nobody_yet(connection, platform):
    [run] = queueing.ask(connection.integration, "product-stocks", by=None)
    assert (run.kind, run.state, platform.tellings) == (SyncRun.Kind.STOCK, State.QUEUED, [])


def test_behaviour_40_a_connector_that_takes_no_stock_refuses():
    integration = make_custom_integration()
    with pytest.raises(Problem) as refused:
        queueing.ask(integration, "product-stocks", by=None)
    assert refused.value.code == "sync_not_supported"


def test_sync_now_reads_products_and_tells_stock(connection):
    [action] = [action for action in offered(connection.integration) if action.code == "sync-now"]
    assert action.suits(connection.integration)
    from_now = queueing.ask(connection.integration, "products", by=None)
    assert {run.kind for run in [*from_now, *queueing.ask(connection.integration, "product-stocks", by=None)]} == {
        SyncRun.Kind.PRODUCTS,
        SyncRun.Kind.STOCK,
    }


def test_what_an_import_brings_is_told_its_stock_from_then_on_and_what_is_gone_no_more(platform, otter):
    make_application_token()
    store = make_connection()
    listing = Platform([[item(1), item(2)]])
    listing.serve(otter)
    work_out(make_run(connection=store))
    assert sorted(Publication.objects.values_list("listing__sku", flat=True)) == ["HAT-1", "HAT-2"]
    assert StockFeed.objects.get().shop == store.shop
    listing.pages[0].pop()
    work_out(make_run(connection=store))
    assert list(Publication.objects.values_list("listing__sku", flat=True)) == ["HAT-1"]


@pytest.mark.parametrize(("pieces", "told"), [((5, 7), 1), ((5, 0), 2), ((5, 0, 9), 3)])
def test_a_platform_that_takes_no_numbers_is_told_when_something_runs_out_or_comes_back(platform, otter, pieces, told):
    make_application_token()
    store = make_connection()
    level = make_level(product=make_variant(store, "").product)
    otter.post(re.compile(f"{OTTER}/manager/.*"), status=202, json={})
    owing.enlist(store.shop)
    for on_hand in pieces:
        StockLevel.objects.filter(pk=level.pk).update(on_hand=on_hand)
        Publication.objects.update(due_at=timezone.now())
        publishing.tell(store.shop_id)
    assert (len(otter.calls), Publication.objects.get().quantity) == (told, pieces[-1])
