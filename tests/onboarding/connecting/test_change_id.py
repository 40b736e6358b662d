import pytest

from apps.onboarding import connecting
from apps.shops.models import Connection, Shop
from apps.syncs import running
from apps.syncs.models import SyncRun
from tests.factories import make_actor, make_connection, make_member, make_shop

State = Connection.State


def again(connection):
    return Connection.objects.get(pk=connection.pk)


@pytest.fixture
def connected(draft, owner):
    connecting.connect(draft, by=make_actor(owner))
    SyncRun.objects.update(state=SyncRun.State.SUCCEEDED)
    return again(draft)


def test_changing_the_id_deletes_then_posts_and_owes_an_import(connected, owner, platform):
    platform.forget_calls()
    connecting.change_id(connected, "hats-2", by=make_actor(owner))
    assert platform.writes() == ["DELETE", "POST"]
    assert platform.held() == {"Great Hats Online": "hats-2"}
    changed = again(connected)
    assert (changed.state, changed.ext_shop_id, changed.replaces) == (State.ACTIVE, "hats-2", "")
    assert (Shop.objects.get().ext_shop_id, SyncRun.objects.unfinished().count()) == ("hats-2", 1)


def test_the_next_import_names_the_store_by_its_new_id(connected, owner, platform):
    connecting.change_id(connected, "hats-2", by=make_actor(owner))
    platform.forget_calls()
    running.run(SyncRun.objects.unfinished().get().pk)
    entries = platform.sandbox.control("GET", "requests").json()["requests"]
    assert {e["store"] for e in entries if e["path"] == "/inventories/v1/summaries"} == {"hats-2"}


def test_who_connected_the_store_and_when_stays_as_it_was(connected, owner):
    colleague = make_member(organization=owner.organization)
    connecting.change_id(connected, "hats-2", by=make_actor(colleague))
    changed = again(connected)
    assert (changed.connected_by, changed.connected_at) == (owner, connected.connected_at)
    assert SyncRun.objects.unfinished().get().asked_by == colleague


def test_an_id_of_another_store_is_refused_before_the_platform_is_asked(connected, owner, platform):
    make_shop(integration=connected.integration, ext_shop_id="hats-2")
    platform.forget_calls()
    with pytest.raises(connecting.IdTaken):
        connecting.change_id(connected, "hats-2", by=make_actor(owner))
    assert platform.calls() == []
    assert (again(connected).state, again(connected).ext_shop_id) == (State.ACTIVE, "hats-1")


def test_the_id_of_another_organizations_store_is_refused(connected, owner, stranger, platform):
    make_connection(organization=stranger.organization, ext_shop_id="hats-2")
    platform.forget_calls()
    with pytest.raises(connecting.IdTaken):
        connecting.change_id(connected, "hats-2", by=make_actor(owner))
    assert platform.calls() == []
    assert (again(connected).state, again(connected).ext_shop_id) == (State.ACTIVE, "hats-1")


def test_an_id_the_platform_knows_for_another_store_leaves_the_old_one(connected, owner, platform):
    platform.hold(platform.store(connected.integration, "Great Hats Antwerp"), "hats-2")
    with pytest.raises(connecting.IdTaken):
        connecting.change_id(connected, "hats-2", by=make_actor(owner))
    assert platform.held() == {"Great Hats Online": "hats-1", "Great Hats Antwerp": "hats-2"}
    assert (again(connected).state, again(connected).ext_shop_id) == (State.ACTIVE, "hats-1")


def test_an_id_that_somebody_changed_at_the_platform_is_not_replaced_unasked(connected, owner, platform):
    platform.release(connected.store)
    platform.hold(connected.store, "changed-there")
    with pytest.raises(connecting.HeldElsewhere):
        connecting.change_id(connected, "hats-2", by=make_actor(owner))
    assert platform.held() == {"Great Hats Online": "changed-there"}
    assert (again(connected).state, again(connected).ext_shop_id) == (State.ACTIVE, "hats-1")


def test_a_connection_that_vanished_at_the_platform_is_made_anew(connected, owner, platform):
    platform.release(connected.store)
    connecting.change_id(connected, "hats-2", by=make_actor(owner))
    assert platform.held() == {"Great Hats Online": "hats-2"}


@pytest.mark.parametrize("state", [State.PAUSED, State.DISCONNECTING, State.CONNECTING])
def test_only_a_connected_store_gets_another_id(connected, owner, platform, state):
    Connection.objects.update(state=state)
    platform.forget_calls()
    connecting.change_id(connected, "hats-2", by=make_actor(owner))
    assert platform.calls() == []
    assert (again(connected).state, again(connected).ext_shop_id) == (state, "hats-1")


def test_a_running_import_makes_room_while_the_id_changes(connected, owner):
    running_one = SyncRun.objects.create(
        organization=connected.organization,
        integration=connected.integration,
        shop=connected.shop,
        kind=SyncRun.Kind.PRODUCTS,
    )
    connecting.change_id(connected, "hats-2", by=make_actor(owner))
    assert SyncRun.objects.unfinished().get() == running_one
