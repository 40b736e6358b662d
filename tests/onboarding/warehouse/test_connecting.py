"""Connecting a warehouse at the simulated Pio: one shop, its four hooks, one location, whatever happens on the way."""

import pytest

from apps.catalog.models import Location
from apps.integrations.connectors.base import Unreachable
from apps.integrations.connectors.pio.client import PioClient
from apps.integrations.models import Credential, Integration
from apps.onboarding import connecting, schedule
from apps.shops.models import Connection, Shop
from apps.syncs.models import SyncRun
from apps.webhooks.inboxes import address_of
from apps.webhooks.models import Inbox
from tests.conftest import signed_in
from tests.factories import make_actor, make_location, make_member

from ..pages import text
from ..platform import Killed, die, let_lease_run_out

State = Connection.State
EVENTS = ["inventory_levels.update", "inventory_log.create", "fulfillments.create", "fulfillments.update"]


def again(connection):
    return Connection.objects.with_everything().get(pk=connection.pk)


def made(connection):
    """How many there are of everything that connecting makes."""
    own = {"integration": again(connection).integration}
    kinds = (Connection, Shop, Inbox, Location)
    runs = sorted(SyncRun.objects.filter(**own).values_list("kind", flat=True))
    return [model.objects.filter(**own).count() for model in kinds], runs


def there(warehouse, connection):
    """Whether Pio has just what it should: one shop under our id, whose hooks point at the inbox."""
    address = address_of(Inbox.objects.get(integration=again(connection).integration))
    return warehouse.shops() == [{"ext_shop_id": connection.ext_shop_id, "hooks": dict.fromkeys(EVENTS, address)}]


@pytest.fixture
def draft(warehouse, owner_client):
    return warehouse.permitted(owner_client)


@pytest.fixture
def connected(draft, owner):
    connecting.connect(draft, by=make_actor(owner))
    return again(draft)


def test_an_owner_connects_a_warehouse_in_three_steps(warehouse, owner, owner_client):
    home = text(owner_client.get("/"))
    assert "Connect your warehouse" in home
    assert "Pio" in text(owner_client.get("/connect/warehouse/"))
    draft = warehouse.permitted(owner_client)
    review = text(owner_client.get(f"/connect/{draft.pk}/check/"))
    assert "Is this right?" in review and "Great Hats" in review and "Brand" not in review
    answer = owner_client.post(f"/connect/{draft.pk}/check/", follow=True)
    assert answer.redirect_chain[-1][0] == f"/stores/{draft.pk}/"
    assert "Your warehouse: Pio" in text(answer)
    assert made(draft) == ([1, 1, 1, 1], ["count", "items"])
    connection = again(draft)
    assert (connection.state, connection.name, connection.ext_shop_id) == (State.ACTIVE, "Great Hats", "great-hats")
    assert (connection.shop.store, connection.shop.ext_shop_id) == (None, "great-hats")
    assert there(warehouse, connection)
    home = text(owner_client.get("/"))
    assert "Your warehouse: Pio" in home and "Connect your warehouse" not in home


def test_the_platforms_to_sell_on_are_asked_for_on_another_page(warehouse, owner_client):
    assert b'value="pio"' not in owner_client.get("/connect/").content
    assert owner_client.post("/connect/", {"platform": "pio"}).status_code == 200
    assert not Connection.objects.exists()


@pytest.mark.parametrize("posted", [{}, {"platform": "otter"}, {"platform": "a\x00"}, {"platform": "x" * 999}])
def test_only_a_warehouse_can_be_chosen_as_one(warehouse, owner_client, posted):
    assert "Please choose one of these." in text(owner_client.post("/connect/warehouse/", posted))


def test_the_steps_of_a_store_lead_on_where_there_is_nothing_to_choose(draft, owner_client):
    for step in ("brand", "store"):
        assert owner_client.get(f"/connect/{draft.pk}/{step}/").url == f"/connect/{draft.pk}/check/"
    assert b'value="great-hats"' in owner_client.get(f"/connect/{draft.pk}/name/").content
    assert owner_client.get(f"/connect/{draft.pk}/already/").url == f"/connect/{draft.pk}/"


def test_behaviour_7_only_an_admin_of_the_warehouse_can_agree(warehouse, owner_client):
    began = owner_client.post("/connect/warehouse/", {"platform": "pio"})
    refused = warehouse.approve(owner_client.post(began.url).url, account=warehouse.picker)
    assert refused.status_code == 403
    assert not Credential.objects.exists()


def test_an_admin_who_declines_connects_nothing(warehouse, owner_client):
    began = owner_client.post("/connect/warehouse/", {"platform": "pio"})
    back = warehouse.approve(owner_client.post(began.url).url, decision="deny").headers["Location"]
    answer = owner_client.get(back.removeprefix(warehouse.portal), follow=True)
    assert "Nothing was connected." in text(answer)


def test_the_location_is_a_grid_of_the_organizations_own_named_after_the_warehouse(connected):
    location = Location.objects.get(integration=connected.integration)
    assert (location.organization, location.kind, location.name) == (connected.organization, "grid", "Pio")


def test_a_location_of_that_name_does_not_stand_in_the_way(draft, owner):
    make_location(organization=owner.organization, name="Pio")
    connecting.connect(draft, by=make_actor(owner))
    assert Location.objects.get(integration=again(draft).integration).name == "Pio 2"


def test_whoever_has_connected_it_is_shown_it_and_makes_no_second_one(connected, owner_client):
    answer = owner_client.post("/connect/warehouse/", {"platform": "pio"})
    assert answer.url == f"/stores/{connected.pk}/"
    assert Connection.objects.count() == 1


def test_two_customers_of_one_warehouse_each_have_a_shop_there(warehouse, connected, stranger, stranger_client):
    other = warehouse.permitted(stranger_client)
    assert other.ext_shop_id == "great-shoes"
    connecting.connect(other, by=make_actor(stranger))
    assert sorted(shop["ext_shop_id"] for shop in warehouse.shops()) == ["great-hats", "great-shoes"]
    tokens = {credential.secrets["access_token"] for credential in Credential.objects.all()}
    assert (len(tokens), Inbox.objects.count()) == (2, 2)  # behaviour 45


def test_two_customers_of_one_name_get_ids_that_differ(warehouse, connected):
    user = make_member(organization=type(connected.organization).objects.create(name="Great Hats"))
    assert warehouse.permitted(signed_in(user)).ext_shop_id == "great-hats-2"


@pytest.mark.parametrize("method", ["connection", "connect", "subscribe"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_after_a_crash_anywhere_the_sweep_finishes_and_nothing_is_there_twice(
    warehouse, draft, owner, monkeypatch, method, when
):
    die(monkeypatch, method, when=when, of=PioClient)
    with pytest.raises(Killed):
        connecting.connect(draft, by=make_actor(owner))
    assert again(draft).state == State.CONNECTING
    let_lease_run_out(draft)
    schedule.finish_hanging_connections()
    assert again(draft).state == State.ACTIVE
    assert made(draft) == ([1, 1, 1, 1], ["count", "items"])
    assert there(warehouse, draft)


def test_hooks_that_could_not_be_made_are_made_by_pressing_again(warehouse, draft, owner, settings):
    portal, settings.PUBLIC_URL = settings.PUBLIC_URL, "http://127.0.0.1:1"  # Pio finds nobody there
    with pytest.raises(connecting.Rejected, match="target_url_unreachable"):
        connecting.connect(draft, by=make_actor(owner))
    assert (again(draft).state, again(draft).problem) == (State.DRAFT, "target_url_unreachable")
    settings.PUBLIC_URL = portal
    connecting.connect(again(draft), by=make_actor(owner))
    assert there(warehouse, draft)
    assert made(draft)[0] == [1, 1, 1, 1]


def test_a_silence_while_hooks_are_made_is_finished_by_the_sweep(warehouse, draft, owner, monkeypatch):
    with monkeypatch.context() as patch:
        silent = Unreachable("nobody knows whether it arrived", code="timeout")
        patch.setattr(PioClient, "subscribe", lambda *args: (_ for _ in ()).throw(silent))
        with pytest.raises(Unreachable):
            connecting.connect(draft, by=make_actor(owner))
    assert (again(draft).state, again(draft).problem) == (State.CONNECTING, "silent_halfway")
    let_lease_run_out(draft)
    schedule.finish_hanging_connections()
    assert again(draft).state == State.ACTIVE
    assert there(warehouse, draft)


def test_disconnecting_deletes_the_hooks_and_closes_the_shop_there(warehouse, connected, settings):
    settings.UNDO_DISCONNECT_SECONDS = 0
    connecting.disconnect(connected, by=make_actor())
    schedule.finish_disconnecting()
    assert warehouse.shops() == []
    assert (again(connected).state, again(connected).shop.is_active) == (State.DISCONNECTED, False)
    assert not Credential.objects.exists()
    assert not Location.objects.get(integration=connected.integration).is_active


@pytest.mark.parametrize("when", ["before", "after"])
def test_after_a_crash_while_disconnecting_the_sweep_finishes(warehouse, connected, settings, monkeypatch, when):
    settings.UNDO_DISCONNECT_SECONDS = 0
    connecting.disconnect(connected, by=make_actor())
    die(monkeypatch, "disconnect", when=when, of=PioClient)
    with pytest.raises(Killed):
        schedule.finish_disconnecting()
    let_lease_run_out(connected)
    schedule.finish_disconnecting()
    assert (warehouse.shops(), again(connected).state) == ([], State.DISCONNECTED)


def test_what_was_disconnected_is_connected_again_with_the_same_location_and_inbox(
    warehouse, connected, owner, owner_client, settings
):
    settings.UNDO_DISCONNECT_SECONDS = 0
    address = address_of(Inbox.objects.get())
    connecting.disconnect(connected, by=make_actor())
    schedule.finish_disconnecting()
    second = warehouse.connected(owner_client, owner)
    assert (second.ext_shop_id, second.shop) == (connected.ext_shop_id, connected.shop)
    assert Location.objects.get(integration=second.integration).is_active
    assert address_of(Inbox.objects.get()) == address
    assert there(warehouse, second)


def test_a_permission_taken_back_is_asked_for_anew_and_binds_to_the_same_shop(warehouse, connected, owner_client):
    warehouse.revoke(connected)
    with pytest.raises(connecting.Unauthorized):
        connecting.call(connected.integration, lambda client: client.stock(connected.ref))
    assert again(connected).integration.state == Integration.State.NEEDS_RECONNECT
    assert "Log in at Pio again" in text(owner_client.get(f"/stores/{connected.pk}/"))
    answer = warehouse.log_in(owner_client, f"/stores/{connected.pk}/log-in/")
    assert answer.url == f"/stores/{connected.pk}/"
    assert "We are connecting" in text(owner_client.get(answer.url))
    schedule.finish_hanging_connections()
    assert (again(connected).state, again(connected).integration.state) == (State.ACTIVE, "connected")
    assert there(warehouse, connected)


def test_the_page_of_a_warehouse_takes_the_same_queries_however_much_it_refused(
    connected, owner_client, django_assert_max_num_queries
):
    with django_assert_max_num_queries(20):
        assert "Pieces there" in text(owner_client.get(f"/stores/{connected.pk}/"))


def test_a_stranger_finds_no_warehouse(connected, stranger_client):
    assert stranger_client.get(f"/stores/{connected.pk}/").status_code == 404
