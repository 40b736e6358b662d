"""Stock as a platform tells it, against what it was told. Vendure answers as recorded, with the numbers of the test."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import responses
from django.db.models.functions import Now
from django.utils import timezone

from apps.api.errors import Problem
from apps.audit.models import Entry
from apps.audit.trail import Actor
from apps.catalog.models import Publication
from apps.integrations.connectors.vendure import client as graphql
from apps.shops.models import Connection
from apps.syncs import queueing, running, stocktaking
from apps.syncs.comparing import limit_drift, repair
from apps.syncs.models import CountedPage, Drift, SyncRun

from ..factories import (
    make_connection,
    make_drift,
    make_integration,
    make_listing,
    make_product,
    make_publication,
)
from ..integrations.connectors.vendure.conftest import Vendure, recorded
from .platform import work_on, work_out

ADDRESS = "https://93.184.216.34"
SOMEBODY = Actor("somebody@example.com")
VARIANT = recorded("variants")["data"]["productVariants"]["items"][0]


@pytest.fixture
def connection(db) -> Connection:
    settings = {"address": ADDRESS}
    keyed = make_integration(connector="vendure", settings=settings, secrets={"api_key": "key"})
    made = make_connection(integration=keyed, ids_are_shared=False)
    made.store.ext_id = "1"
    made.store.save()
    return made


@pytest.fixture
def vendure() -> Iterator[Vendure]:
    server = Vendure(answers={graphql.CHANNEL: recorded("channel")})
    with responses.RequestsMock(assert_all_requests_are_fired=False) as web:
        web.add_callback(responses.POST, f"{ADDRESS}/admin-api", callback=server)
        yield server


def sells(vendure: Vendure, number: int, pieces: int) -> None:
    """The server offers so many pieces of a variant."""
    levels = [{"stockOnHand": pieces + 2, "stockAllocated": 2}]
    named: dict[str, Any] = {"id": str(number), "sku": f"HAT-{number}", "stockLevels": levels}
    vendure.variants = [item for item in vendure.variants if item["id"] != str(number)] + [VARIANT | named]


def told(connection: Connection, number: int, pieces: int | None, **fields: Any) -> Publication:
    """What we told of a variant, an hour ago."""
    product = make_product(organization=connection.organization, sku=f"HAT-{number}")
    ids = {"ext_product_id": VARIANT["productId"], "ext_variant_id": str(number)}
    listing = make_listing(shop=connection.shop, product=product, **ids)
    defaults = {"quantity": pieces, "told_at": timezone.now() - timedelta(hours=1), "due_at": None}
    return make_publication(listing=listing, **defaults | fields)


def compare(connection: Connection) -> SyncRun:
    run = queueing.owe(connection, kind=SyncRun.Kind.COMPARE)
    return work_out(run)


def drifts() -> list[tuple[str, int, int, int]]:
    return list(Drift.objects.order_by("product__sku").values_list("product__sku", "ours", "theirs", "times"))


def test_what_agrees_is_no_drift_and_what_differs_is_one(connection, vendure):
    for number, here, there in ((1, 5, 5), (2, 5, 4), (3, 0, 7)):
        told(connection, number, here)
        sells(vendure, number, there)
    run = compare(connection)
    assert (run.state, run.done, run.created_count, run.updated_count) == (SyncRun.State.SUCCEEDED, 3, 2, 0)
    assert drifts() == [("HAT-2", 5, 4, 1), ("HAT-3", 0, 7, 1)]
    assert CountedPage.objects.count() == 0


def test_a_list_of_several_pages_is_compared_as_a_whole(connection, vendure):
    for number in range(1, 231):
        sells(vendure, number, number % 3)
    for number in (1, 110, 230):
        told(connection, number, 9)
    run = compare(connection)
    assert (run.pages, run.done, run.created_count) == (3, 230, 3)


def test_what_is_on_its_way_was_told_just_now_or_failed_is_left_for_the_next_time(connection, vendure):
    told(connection, 1, 5, due_at=timezone.now())
    told(connection, 2, 5, told_at=timezone.now() + timedelta(minutes=1))
    told(connection, 3, 5, error="not_found")
    told(connection, 4, None, told_at=None)
    for number in range(1, 5):
        sells(vendure, number, 4)
    compare(connection)
    assert drifts() == []


def test_a_drift_that_stays_is_counted_and_one_that_went_is_forgotten(connection, vendure):
    for number in (1, 2, 3):
        told(connection, number, 5)
        sells(vendure, number, 4)
    compare(connection)
    sells(vendure, 2, 3)
    sells(vendure, 3, 5)
    compare(connection)
    assert drifts() == [("HAT-1", 5, 4, 2), ("HAT-2", 5, 3, 1)]
    first, second = Drift.objects.order_by("product__sku")
    assert first.found_at < first.seen_at
    assert second.found_at == second.seen_at


def test_another_shops_drifts_stay(connection, vendure):
    other = Drift.objects.create(
        organization=connection.organization,
        shop=make_connection(integration=connection.integration).shop,
        product=make_product(organization=connection.organization),
        ours=1,
        theirs=2,
    )
    compare(connection)
    assert list(Drift.objects.all()) == [other]


def test_putting_a_platforms_number_right_is_telling_it_again(connection, vendure):
    publication = told(connection, 1, 5)
    sells(vendure, 1, 4)
    compare(connection)
    assert repair(Drift.objects.all(), actor=SOMEBODY) == 1
    publication.refresh_from_db()
    assert (publication.quantity, publication.due_at is not None) == (None, True)
    assert drifts() == []
    entry = Entry.objects.get(action="stock.repair")
    assert (entry.actor, entry.after["products"]) == ("somebody@example.com", 1)


def test_nothing_is_put_right_by_itself_without_a_limit(connection, vendure):
    publication = told(connection, 1, 5)
    sells(vendure, 1, 4)
    compare(connection)
    compare(connection)
    assert not Publication.objects.filter(pk=publication.pk, due_at__isnull=False).exists()


def test_below_the_limit_it_is_put_right_once_two_comparisons_agree(connection, vendure):
    limit_drift(connection.shop, 2, actor=SOMEBODY)
    small, large = told(connection, 1, 5), told(connection, 2, 5)
    sells(vendure, 1, 3)
    sells(vendure, 2, 2)
    assert compare(connection).updated_count == 0, "something may have been sold just now"
    assert compare(connection).updated_count == 1
    owed = Publication.objects.filter(due_at__lte=Now())
    assert (list(owed), drifts()) == ([small], [("HAT-2", 5, 2, 2)])
    assert large.due_at is None


def test_a_comparison_that_breaks_off_goes_on_from_its_last_page(connection, vendure):
    for number in range(1, 131):
        sells(vendure, number, 4)
    told(connection, 1, 5)
    run = queueing.owe(connection, kind=SyncRun.Kind.COMPARE)
    whole, vendure.variants = vendure.variants, vendure.variants[:0]
    vendure.answers[graphql.VARIANTS] = {"errors": [{"extensions": {"code": "INTERNAL_SERVER_ERROR"}, "message": ""}]}
    assert work_on(run).error == "server_error"
    vendure.variants = whole
    assert work_out(run).state == SyncRun.State.SUCCEEDED
    assert drifts() == [("HAT-1", 5, 4, 1)]


def test_every_store_whose_platform_counts_is_compared_regularly(connection, vendure):
    make_connection()
    make_connection(integration=connection.integration, state=Connection.State.PAUSED)
    assert queueing.owe_regular_comparisons() == 1
    assert queueing.owe_regular_comparisons() == 0, "it has its run"
    assert SyncRun.objects.get().shop == connection.shop


def test_a_long_comparison_makes_room_for_others(connection, vendure, monkeypatch):
    monkeypatch.setattr(stocktaking, "SLICE_SECONDS", 0)
    for number in range(1, 131):
        sells(vendure, number, 4)
    run = queueing.owe(connection, kind=SyncRun.Kind.COMPARE)
    assert (running.run(run.pk), running.run(run.pk)) == (True, False)


def test_where_the_operator_has_removed_the_connector_it_says_so(connection):
    drift = make_drift(connection=connection)
    connection.integration.connector = "gone"
    connection.integration.save()
    with pytest.raises(Problem, match="removed its connector"):
        repair(Drift.objects.all(), actor=Actor("anna@foo-3pl.example"))
    assert (Drift.objects.get(), Entry.objects.exists()) == (drift, False)
