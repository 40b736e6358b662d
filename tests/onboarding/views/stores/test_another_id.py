import pytest

from apps.onboarding import connecting
from apps.shops.models import Connection
from apps.syncs.models import SyncRun
from tests.factories import (
    make_actor,
    make_shop,
)

from ...pages import text

State = Connection.State


def again(connection):
    return Connection.objects.get(pk=connection.pk)


@pytest.fixture
def connected(draft, owner):
    connecting.connect(draft, by=make_actor(owner))
    SyncRun.objects.update(state=SyncRun.State.SUCCEEDED)
    return again(draft)


def change(client, connection, ext_shop_id):
    return client.post(f"/stores/{connection.pk}/id/", {"ext_shop_id": ext_shop_id}, follow=True)


def test_changing_the_id_says_first_what_it_does(owner_client, connected):
    page = text(owner_client.get(f"/stores/{connected.pk}/id/"))
    assert "The connection “hats-1” is removed at Otter, and made anew under the new ID." in page


def test_the_id_is_changed(owner_client, connected, platform):
    answer = change(owner_client, connected, "hats-2")
    assert "The store is connected as “hats-2”." in text(answer)
    assert platform.held() == {"Great Hats Online": "hats-2"}


def test_the_same_id_changes_nothing(owner_client, connected, platform):
    change(owner_client, connected, "hats-1")
    assert platform.held() == {"Great Hats Online": "hats-1"}
    assert again(connected).state == State.ACTIVE


def test_a_connection_that_the_platform_lost_is_made_anew_from_the_stores_page(owner_client, connected, platform):
    platform.release(connected.store)
    SyncRun.objects.update(state=SyncRun.State.FAILED, error="forbidden")
    page = text(owner_client.get(f"/stores/{connected.pk}/"))
    assert "Connect it again" in page
    assert "Needs you" in page
    change(owner_client, connected, "hats-1")
    assert platform.held() == {"Great Hats Online": "hats-1"}
    assert SyncRun.objects.unfinished().get().shop == connected.shop


def test_an_id_of_another_store_is_refused(owner_client, connected):
    make_shop(integration=connected.integration, ext_shop_id="hats-2")
    assert "Another store has this ID already. Choose another one." in text(change(owner_client, connected, "hats-2"))


def test_an_id_changed_at_the_platform_is_told(owner_client, connected, platform):
    platform.release(connected.store)
    platform.hold(connected.store, "there")
    assert "Otter has this store under another ID than we thought: “there”." in text(
        change(owner_client, connected, "hats-2")
    )


def test_a_platform_in_trouble_is_told_without_calling_the_store_unconnected(owner_client, connected, platform):
    platform.sandbox.fault("server_error")
    page = text(change(owner_client, connected, "hats-2"))
    assert "Otter has a problem of its own. Please try again in a few minutes." in page
    assert "not connected" not in page
    assert again(connected).ext_shop_id == "hats-1"


def test_a_paused_store_gets_no_new_id(owner_client, connected):
    connecting.pause(connected, by=make_actor())
    assert "This store is not connected at the moment." in text(change(owner_client, connected, "hats-2"))
