"""What an owner sees of the stock their platform was told, and what they keep back from it."""

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.audit.models import Entry
from apps.catalog.models import Publication, StockFeed
from apps.integrations.models import Integration
from apps.syncs.models import SyncRun

from ...factories import make_connection, make_integration, make_listing, make_publication

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection(owner):
    return make_connection(integration=make_integration(organization=owner.organization))


def make_told(connection, **fields) -> Publication:
    return make_publication(listing=make_listing(shop=connection.shop), **{"quantity": 3, "due_at": None} | fields)


def page(client, connection) -> str:
    return " ".join(client.get(reverse("store", args=[connection.pk])).text.split())


def post(client, name, connection, **data) -> list[str]:
    answer = client.post(reverse(name, args=[connection.pk]), data, follow=True)
    return [str(message) for message in answer.context["messages"]]


def test_the_store_says_how_many_were_told_when_and_which_failed_why(owner_client, connection):
    for _ in range(2):
        make_told(connection)
    make_told(connection, quantity=None, due_at=timezone.now())
    make_told(connection, quantity=None, error="not_found", tries=1, due_at=timezone.now())
    make_told(make_connection(integration=connection.integration))
    StockFeed.objects.create(organization=connection.organization, shop=connection.shop, told_at=timezone.now())
    shown = page(owner_client, connection)
    assert "Stock told to Otter" in shown
    assert "2 products, last" in shown
    assert "1 is on its way." in shown
    assert "1 product that Otter did not take" in shown
    assert "The platform does not list it any more." in shown


def test_what_stands_in_the_way_is_said_in_plain_words(owner_client, connection):
    feed = StockFeed.objects.create(organization=connection.organization, shop=connection.shop, error="may_not_write")
    assert "may not change stock" in page(owner_client, connection)
    feed.delete()
    Integration.objects.update(stock_sync_enabled=False)
    assert "Telling Otter our stock is switched off." in page(owner_client, connection)


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_takes_as_many_statements_for_any_number_of_failures(
    owner_client, connection, rows, django_assert_max_num_queries
):
    for _ in range(rows):
        make_told(connection, error="rejected")
    with django_assert_max_num_queries(16):
        page(owner_client, connection)


def test_an_owner_keeps_some_back_and_their_platform_is_told_fewer(owner_client, connection):
    told = make_told(connection)
    assert post(owner_client, "keep-back", connection, pieces="4") == ["Saved."]
    assert Integration.objects.get(pk=connection.integration_id).stock_buffer == 4
    told.refresh_from_db()
    assert told.due_at is not None
    entry = Entry.objects.get(action="integration.change")
    assert (entry.before, entry.after) == ({"stock_buffer": 0}, {"stock_buffer": 4})
    assert post(owner_client, "keep-back", connection, pieces="4") == ["Saved."]
    assert Entry.objects.filter(action="integration.change").count() == 1


@pytest.mark.parametrize("wrong", ["", "-1", "x", "1000001", "9" * 40])
def test_a_reserve_that_is_no_number_of_pieces_changes_nothing(owner_client, connection, wrong):
    told = make_told(connection)
    assert post(owner_client, "keep-back", connection, pieces=wrong) != ["Saved."]
    told.refresh_from_db()
    assert (Integration.objects.get(pk=connection.integration_id).stock_buffer, told.due_at) == (0, None)


def test_all_stock_can_be_told_again(owner_client, connection):
    assert post(owner_client, "tell-again", connection) == ["All stock is being told again now."]
    assert SyncRun.objects.get().kind == SyncRun.Kind.STOCK


@pytest.mark.parametrize(
    ("which", "fields"), [("connection", {"state": "paused"}), ("integration", {"stock_sync_enabled": False})]
)
def test_nothing_is_started_while_it_cannot_be_told(owner_client, connection, which, fields):
    row = connection if which == "connection" else connection.integration
    type(row).objects.filter(pk=row.pk).update(**fields)
    assert post(owner_client, "tell-again", connection) == ["It cannot be told at the moment, so nothing was started."]
    assert SyncRun.objects.count() == 0
