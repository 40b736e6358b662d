from datetime import timedelta

import pytest
from django.utils import timezone

from apps.onboarding.views.stores import PAGE
from apps.shops.models import Connection
from apps.syncs.models import SyncRun
from tests.conftest import signed_in
from tests.factories import (
    make_connection,
    make_draft,
    make_integration,
    make_run,
    make_unlinked,
    make_user,
)

from ...pages import HTMX, is_part, text

State = Connection.State


def test_home_without_a_store_says_how_to_begin(owner_client):
    assert "No store yet" in text(owner_client.get("/"))


def test_home_shows_own_stores_and_nobody_elses(owner_client, connection):
    make_connection(name="Somebody else's")
    page = text(owner_client.get("/"))
    assert "Hats" in page
    assert "Somebody else's" not in page


def test_home_does_not_show_what_is_disconnected(owner_client, connection):
    Connection.objects.update(state=State.DISCONNECTED)
    assert "No store yet" in text(owner_client.get("/"))


def test_home_says_when_it_last_heard_from_the_platform(owner_client, connection):
    Connection.objects.update(heard_at=timezone.now() - timedelta(hours=3))
    assert "last heard 3 hours ago" in text(owner_client.get("/"))


def test_home_lists_first_what_waits_for_the_owner(owner_client, connection):
    make_draft(organization=connection.organization)
    connection.integration.lose_permission("revoked")
    page = owner_client.get("/")
    assert "2 things wait for you" in text(page)
    assert "Go on connecting a store of Otter" in text(page)
    assert "Hats: Log in at Otter again." in text(page)
    assert f'href="/stores/{connection.pk}/log-in/"' in page.content.decode()


def test_somebody_without_a_company_is_told_what_to_do(client, db):
    assert "You do not belong to a company yet" in text(signed_in(make_user()).get("/"))


def test_staff_without_a_company_go_to_the_admin(db):
    assert signed_in(make_user(is_staff=True)).get("/").url == "/admin/"


@pytest.mark.parametrize("stores", [1, 3])
def test_home_takes_as_many_queries_for_three_stores_as_for_one(owner, stores, django_assert_num_queries):
    for _ in range(stores):
        made = make_connection(organization=owner.organization)
        make_run(connection=made, state=SyncRun.State.SUCCEEDED, finished_at=timezone.now())
        make_unlinked(shop=made.shop)
    client = signed_in(owner)
    with django_assert_num_queries(10):
        client.get("/")


@pytest.mark.parametrize("state", [SyncRun.State.RUNNING, SyncRun.State.SUCCEEDED])
def test_htmx_gets_the_stores_as_they_stand_on_the_page(owner_client, connection, state):
    make_run(connection=connection, state=state)
    assert is_part(owner_client.get("/", headers=HTMX), of=owner_client.get("/"))


def test_many_stores_come_in_pages_and_what_waits_is_named_on_each(owner, owner_client):
    integration = make_integration(organization=owner.organization)
    for number in range(PAGE + 1):
        make_draft(integration=integration, created_by=owner, name=f"draft {number}")
    first, second = (owner_client.get("/", {"page": page}) for page in (1, 2))
    assert [page.content.decode().count('class="item"') for page in (first, second)] == [PAGE, 1]
    assert all(f"{PAGE + 1} things wait for you" in text(page) for page in (first, second))
    assert ('href="?page=2"' in first.content.decode(), 'href="?page=1"' in second.content.decode()) == (True, True)
    assert owner_client.get("/", {"page": "x"}).content.count(b'class="item"') == PAGE


def test_a_later_page_follows_itself(owner, owner_client):
    for _ in range(PAGE + 1):
        make_run(connection=make_connection(organization=owner.organization))
    assert 'hx-get="/?page=2"' in owner_client.get("/", {"page": 2}).content.decode()


def test_home_follows_only_while_something_happens(owner_client, connection):
    run = make_run(connection=connection)
    assert 'hx-get="/"' in owner_client.get("/").content.decode()
    SyncRun.objects.filter(pk=run.pk).update(state=SyncRun.State.SUCCEEDED)
    assert "hx-get" not in owner_client.get("/").content.decode()
