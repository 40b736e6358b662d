"""Stores that a partner's application connected to itself: we call nobody for them, and nobody has to be told."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.audit.models import Entry
from apps.integrations.models import Authorization, Integration
from apps.onboarding import connecting, status
from apps.shops.models import Connection, Shop
from apps.syncs.models import SyncRun
from apps.syncs.queueing import owe_regular_runs
from tests.factories import (
    make_authorization,
    make_connection,
    make_custom_integration,
    make_partner,
    make_partner_integration,
)

from ...pages import HTMX, is_part, text

State = Connection.State
OF_OURS = ["sync", "pause", "id", "log-in"]


@pytest.fixture
def made(owner) -> Connection:
    """The store Downtown, connected by the application Great Plugin."""
    partner = make_partner(name="Great Plugin")
    return make_connection(
        integration=make_partner_integration(organization=owner.organization, partner=partner), name="Downtown"
    )


def again(connection: Connection) -> Connection:
    return Connection.objects.with_everything().get(pk=connection.pk)


def test_home_says_who_connected_a_store(owner_client, made):
    page = text(owner_client.get("/"))
    assert "Downtown" in page
    assert "Connected by Great Plugin" in page
    assert "waits for you" not in page


@pytest.mark.parametrize("count", [1, 3])
def test_home_costs_the_same_however_many_applications(owner, owner_client, count, django_assert_num_queries):
    for _ in range(count):
        make_connection(integration=make_partner_integration(organization=owner.organization))
    with django_assert_num_queries(8):
        owner_client.get("/")


def test_a_stores_page_names_the_application_and_links_to_the_connected_apps(owner_client, made):
    page = owner_client.get(f"/stores/{made.pk}/")
    assert "Connected by Great Plugin Connected apps" in text(page)
    assert b'href="/apps/"' in page.content


def test_a_custom_integration_is_not_among_the_connected_apps(owner, owner_client):
    custom = make_connection(integration=make_custom_integration(organization=owner.organization))
    assert f"Connected by {custom.kind.name} Connected" in text(owner_client.get(f"/stores/{custom.pk}/"))
    assert "Connected apps" not in text(owner_client.get(f"/stores/{custom.pk}/")).partition("Store ID")[2]


@pytest.mark.parametrize("state", [State.ACTIVE, State.PAUSED, State.DISCONNECTED])
@pytest.mark.parametrize("permission", ["connected", "disabled"])
def test_nothing_is_offered_that_we_would_have_to_call_somebody_for(owner_client, made, state, permission):
    Connection.objects.update(state=state)
    Integration.objects.update(state=permission)
    page = owner_client.get(f"/stores/{made.pk}/").content.decode()
    assert [name for name in [*OF_OURS, "undo"] if f"/stores/{made.pk}/{name}/" in page] == []
    assert 'href="/connect/"' not in page.partition("<main")[2]


def test_htmx_gets_the_store_as_it_stands_on_the_page(owner_client, made):
    address = f"/stores/{made.pk}/"
    assert is_part(owner_client.get(address, headers=HTMX), of=owner_client.get(address))


@pytest.mark.parametrize("name", OF_OURS)
def test_what_is_not_offered_is_not_there(owner_client, made, name):
    assert owner_client.post(f"/stores/{made.pk}/{name}/", {"ext_shop_id": "x"}).status_code == 404
    assert (again(made).state, again(made).ext_shop_id) == (State.ACTIVE, made.ext_shop_id)
    assert not SyncRun.objects.exists()


def test_what_was_paused_can_be_resumed(owner_client, made):
    Connection.objects.update(state=State.PAUSED)
    assert "Resume" in text(owner_client.get(f"/stores/{made.pk}/"))
    owner_client.post(f"/stores/{made.pk}/resume/")
    assert again(made).state == State.ACTIVE
    assert not SyncRun.objects.exists()


def test_an_application_that_is_switched_off_needs_nobody(made):
    Integration.objects.update(state=Integration.State.DISABLED)
    found = status.of(again(made), None)
    assert (found.label, found.text, found.needs_you) == (
        "Switched off",
        "Great Plugin may do nothing here now.",
        False,
    )


def test_disconnecting_is_explained_and_done_at_once(owner, owner_client, made):
    address = f"/stores/{made.pk}/disconnect/"
    assert "At once: Great Plugin can no longer do anything for this store." in text(owner_client.get(address))
    page = owner_client.post(address, follow=True)
    assert "Disconnected." in text(page)
    assert "undo" not in text(page)
    assert again(made).state == State.DISCONNECTED
    assert Shop.objects.get().is_active is False
    assert Integration.objects.get().state == Integration.State.CONNECTED
    entry = Entry.objects.get()
    assert (entry.actor, entry.action, entry.organization_id) == (
        owner.email,
        "connection.delete",
        owner.organization.pk,
    )


def test_disconnecting_ends_the_stores_own_token(owner_client, made):
    Shop.objects.update(authorization=make_authorization(integration=made.integration, is_lasting=True))
    owner_client.post(f"/stores/{made.pk}/disconnect/")
    assert Authorization.objects.get().revoked_at


def test_disconnecting_twice_is_disconnecting_once(owner_client, made):
    for _ in range(2):
        page = owner_client.post(f"/stores/{made.pk}/disconnect/", follow=True)
    assert "There was nothing to disconnect any more." in text(page)


def test_somebody_who_may_only_look_disconnects_nothing(owner, made, client):
    owner.membership.role = "viewer"
    owner.membership.save()
    client.force_login(owner)
    assert client.post(f"/stores/{made.pk}/disconnect/").status_code == 403
    assert again(made).state == State.ACTIVE


def test_nothing_is_read_from_a_partner(made):
    assert owe_regular_runs() == 0
    assert not SyncRun.objects.exists()


def test_a_partners_integration_keeps_its_permission(made):
    """Even where a platform of ours would have been told."""
    Connection.objects.update(state=State.DISCONNECTING, disconnect_at=timezone.now() - timedelta(seconds=1))
    connecting.finish_disconnect(again(made))
    assert (again(made).state, Integration.objects.get().state) == (State.DISCONNECTED, "connected")
