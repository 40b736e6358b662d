import re
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.onboarding import connecting
from apps.shops.models import Connection
from apps.syncs.models import SyncRun
from tests.conftest import signed_in
from tests.factories import (
    make_actor,
    make_connection,
    make_drift,
    make_failure,
    make_listing,
    make_member,
    make_publication,
    make_run,
)

from ...pages import HTMX, is_part, text

State = Connection.State


def again(connection):
    return Connection.objects.get(pk=connection.pk)


@pytest.mark.parametrize("runs", [1, 3])
def test_a_stores_page_takes_as_many_queries_for_three_imports_as_for_one(
    owner_client, connection, runs, django_assert_num_queries
):
    for _ in range(runs):
        run = make_run(connection=connection, state=SyncRun.State.PARTIAL, failed_count=3, finished_at=timezone.now())
        for _ in range(runs):
            make_failure(run=run)
        listing = make_listing(shop=connection.shop)
        make_drift(listing=listing)
        make_publication(listing=listing, error="rejected")
    with django_assert_num_queries(14):
        owner_client.get(f"/stores/{connection.pk}/")


def test_a_stores_page_says_what_failed_and_why(owner_client, connection):
    run = make_run(connection=connection, state=SyncRun.State.PARTIAL, done=9, failed_count=1, created_count=8)
    make_failure(run=run, ref="HAT-<b>7", code="no_name")
    page = owner_client.get(f"/stores/{connection.pk}/")
    assert "1 product could not be read" in text(page)
    assert "It has no name." in text(page)
    assert b"HAT-&lt;b&gt;7" in page.content


@pytest.mark.parametrize("state", [state for state in State if state != State.DRAFT])
def test_htmx_gets_the_store_as_it_stands_on_the_page(owner, owner_client, state):
    made = make_connection(
        organization=owner.organization, state=state, disconnect_at=timezone.now() + timedelta(minutes=5)
    )
    make_run(connection=made)
    address = f"/stores/{made.pk}/"
    assert is_part(owner_client.get(address, headers=HTMX), of=owner_client.get(address))


def test_a_store_that_is_being_connected_has_a_page(owner, owner_client, platform):
    draft = platform.draft(owner)
    Connection.objects.update(state=State.CONNECTING, lease_until=timezone.now())
    assert "We are connecting this store right now." in text(owner_client.get(f"/stores/{draft.pk}/"))


def test_reading_again_owes_an_import(owner, owner_client, connection):
    answer = owner_client.post(f"/stores/{connection.pk}/sync/", follow=True)
    assert "We are reading your products now." in text(answer)
    assert (SyncRun.objects.get().asked_by, SyncRun.objects.get().accepts_removals) == (owner, False)


def test_a_shorter_list_can_be_vouched_for(owner_client, connection):
    make_run(connection=connection, state=SyncRun.State.FAILED, error="too_much_gone")
    page = owner_client.get(f"/stores/{connection.pk}/")
    assert "The shorter list is right" in text(page)
    owner_client.post(f"/stores/{connection.pk}/sync/", {"accept": "1"})
    assert SyncRun.objects.unfinished().get().accepts_removals


@pytest.mark.parametrize("state", [State.PAUSED, State.DISCONNECTING, State.DISCONNECTED, State.CONNECTING])
def test_what_is_not_connected_is_not_read(owner_client, connection, state):
    Connection.objects.update(state=state)
    answer = owner_client.post(f"/stores/{connection.pk}/sync/", follow=True)
    assert "This store is not connected at the moment, so nothing was started." in text(answer)
    assert not SyncRun.objects.exists()


def test_an_import_can_be_stopped(owner_client, connection):
    run = make_run(connection=connection)
    answer = owner_client.post(f"/stores/{connection.pk}/stop/", follow=True)
    run.refresh_from_db()
    assert ("Stopped. What had arrived stays." in text(answer), run.state) == (True, SyncRun.State.CANCELLED)


def test_stopping_what_has_ended_says_so(owner_client, connection):
    answer = owner_client.post(f"/stores/{connection.pk}/stop/", follow=True)
    assert "There was nothing to stop any more." in text(answer)


def test_a_store_can_be_paused_and_resumed(owner_client, connection):
    assert "Nothing is read until you resume." in text(
        owner_client.post(f"/stores/{connection.pk}/pause/", follow=True)
    )
    assert again(connection).state == State.PAUSED
    owner_client.post(f"/stores/{connection.pk}/resume/")
    assert (again(connection).state, SyncRun.objects.unfinished().count()) == (State.ACTIVE, 1)


def test_disconnecting_says_first_what_will_stop_and_for_how_long_it_can_be_undone(owner_client, connection, settings):
    settings.UNDO_DISCONNECT_SECONDS = 1_200
    page = text(owner_client.get(f"/stores/{connection.pk}/disconnect/"))
    assert "At once: we no longer read its products." in page
    assert "For 20 minutes you can undo it." in page
    assert again(connection).state == State.ACTIVE


def test_a_disconnect_can_be_undone_on_the_stores_page(owner_client, connection):
    page = owner_client.post(f"/stores/{connection.pk}/disconnect/", follow=True)
    assert "You can undo this until" in text(page)
    assert "Undone. Everything is as it was." in text(owner_client.post(f"/stores/{connection.pk}/undo/", follow=True))
    assert again(connection).state == State.ACTIVE


def test_when_it_is_too_late_no_undo_is_offered_or_done(owner_client, connection):
    connecting.disconnect(connection, by=make_actor())
    Connection.objects.update(disconnect_at=timezone.now())
    page = text(owner_client.get(f"/stores/{connection.pk}/"))
    assert ("Undo" in page, "We are telling Otter; then it is done." in page) == (False, True)
    answer = owner_client.post(f"/stores/{connection.pk}/undo/", follow=True)
    assert "It was too late to undo this. You can connect the store again." in text(answer)


def test_disconnecting_twice_says_there_was_nothing_left(owner_client, connection):
    owner_client.post(f"/stores/{connection.pk}/disconnect/")
    answer = owner_client.post(f"/stores/{connection.pk}/disconnect/", follow=True)
    assert "There was nothing to disconnect any more." in text(answer)


def test_a_viewer_may_look_but_is_offered_nothing_to_press(owner, connection):
    viewer = signed_in(make_member(organization=owner.organization, role="viewer"))
    make_run(connection=connection)
    for address in ("/", f"/stores/{connection.pk}/", f"/stores/{connection.pk}/products/"):
        page = viewer.get(address)
        offered = re.findall(r'(?:action|href)="(/(?:connect|stores)[^"]*)"', page.content.decode())
        assert page.status_code == 200
        assert set(offered) <= {
            f"/stores/{connection.pk}/",
            f"/stores/{connection.pk}/products/",
            f"/stores/{connection.pk}/products.csv",
            f"/stores/{connection.pk}/differences/",
        }
