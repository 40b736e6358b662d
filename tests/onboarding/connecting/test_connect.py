import pytest

from apps.catalog.models import Listing
from apps.integrations.connectors.base import Rejected, Unauthorized, Unreachable
from apps.integrations.models import Integration
from apps.onboarding import connecting, drafts
from apps.shops.models import Connection, Shop
from apps.syncs import running
from apps.syncs.models import SyncRun
from tests.factories import make_actor, make_connection, make_draft, make_shop

from ..platform import fail

State = Connection.State


def again(connection):
    return Connection.objects.get(pk=connection.pk)


def test_connecting_makes_shop_connection_and_first_import_together(draft, owner, platform):
    connecting.connect(draft, by=make_actor(owner))
    made = again(draft)
    assert (made.state, made.connected_by, made.problem, made.lease_until) == (State.ACTIVE, owner, "", None)
    assert made.connected_at is not None
    assert platform.held() == {"Great Hats Online": "hats-1"}
    shop = Shop.objects.get()
    assert (shop, shop.ext_shop_id, shop.store, shop.is_active) == (made.shop, "hats-1", draft.store, True)
    run = SyncRun.objects.get()
    assert (run.shop, run.kind, run.state, run.asked_by) == (shop, "products", "queued", owner)


def test_the_first_import_is_rung_for_only_after_the_commit(draft, owner, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as rings:
        connecting.connect(draft, by=make_actor(owner))
    assert len(rings) == 1


def test_the_first_import_brings_what_the_platform_has(draft, owner, platform):
    connecting.connect(draft, by=make_actor(owner))
    running.run(SyncRun.objects.get().pk)
    sold = platform.sandbox.truth(draft.store.ext_id)
    assert set(Listing.objects.values_list("ext_product_id", flat=True)) == {product["id"] for product in sold}


def test_connecting_what_is_connected_does_nothing(draft, owner, platform):
    connecting.connect(draft, by=make_actor(owner))
    platform.forget_calls()
    connecting.connect(draft, by=make_actor(owner))
    assert platform.calls() == []
    assert (Shop.objects.count(), SyncRun.objects.count()) == (1, 1)


def test_an_id_that_the_platform_holds_already_is_taken_as_it_is(draft, owner, platform):
    platform.hold(draft.store, "hats-1")
    platform.forget_calls()
    connecting.connect(draft, by=make_actor(owner))
    assert again(draft).state == State.ACTIVE
    assert platform.writes() == []


def test_a_store_held_under_another_id_is_left_alone(draft, owner, platform):
    platform.hold(draft.store, "somebody-else")
    with pytest.raises(connecting.HeldElsewhere) as error:
        connecting.connect(draft, by=make_actor(owner))
    assert error.value.held == "somebody-else"
    assert platform.held() == {"Great Hats Online": "somebody-else"}
    assert (again(draft).state, again(draft).problem) == (State.DRAFT, "held_elsewhere")
    assert (Shop.objects.count(), SyncRun.objects.count()) == (0, 0)


def test_with_consent_the_held_id_is_replaced(draft, owner, platform):
    platform.hold(draft.store, "somebody-else")
    drafts.agree_to_replace(draft, "somebody-else")
    platform.forget_calls()
    connecting.connect(draft, by=make_actor(owner))
    assert platform.held() == {"Great Hats Online": "hats-1"}
    assert platform.writes() == ["DELETE", "POST"]
    assert (again(draft).state, again(draft).replaces) == (State.ACTIVE, "")


def test_consent_to_replace_one_id_is_not_consent_to_replace_another(draft, owner, platform):
    platform.hold(draft.store, "a-third-one")
    drafts.agree_to_replace(draft, "somebody-else")
    with pytest.raises(connecting.HeldElsewhere):
        connecting.connect(draft, by=make_actor(owner))
    assert platform.held() == {"Great Hats Online": "a-third-one"}


def test_an_id_of_another_store_of_the_organization_is_refused_before_the_platform_is_asked(draft, owner, platform):
    make_shop(integration=draft.integration, ext_shop_id="hats-1")
    platform.forget_calls()
    with pytest.raises(connecting.IdTaken):
        connecting.connect(draft, by=make_actor(owner))
    assert platform.calls() == []
    assert again(draft).state == State.DRAFT


def test_an_id_that_is_just_being_connected_for_another_store_is_refused(draft, owner):
    other = make_draft(integration=draft.integration, ext_shop_id="hats-1")
    Connection.objects.filter(pk=other.pk).update(state=State.CONNECTING)
    with pytest.raises(connecting.IdTaken):
        connecting.connect(draft, by=make_actor(owner))


def test_a_store_that_is_connected_is_refused(draft, owner):
    make_connection(integration=draft.integration, store=draft.store)
    with pytest.raises(connecting.StoreTaken):
        connecting.connect(draft, by=make_actor(owner))
    assert again(draft).state == State.DRAFT


def test_an_id_the_platform_knows_for_another_store_is_refused_as_taken(draft, owner, platform):
    """Our id names one store to the platform, whoever of our customers uses it there (its X-Store-Id header)."""
    platform.hold(platform.store(draft.integration, "Great Hats Antwerp"), "hats-1")
    with pytest.raises(connecting.IdTaken):
        connecting.connect(draft, by=make_actor(owner))
    assert (again(draft).state, again(draft).problem) == (State.DRAFT, "id_taken")
    assert platform.held() == {"Great Hats Antwerp": "hats-1"}


def test_another_organizations_store_of_the_same_name_and_ext_ids_does_not_disturb(draft, owner, stranger):
    other = make_connection(organization=stranger.organization, ext_shop_id="hats-2", state=State.PAUSED)
    type(other.store).objects.filter(pk=other.store_id).update(ext_id=draft.store.ext_id)
    connecting.connect(draft, by=make_actor(owner))
    assert again(draft).state == State.ACTIVE
    assert (again(other).state, again(other).ext_shop_id) == (State.PAUSED, "hats-2")


def test_the_id_of_another_organizations_store_would_read_its_products_and_is_refused(draft, owner, stranger, platform):
    make_connection(organization=stranger.organization, ext_shop_id="hats-1")
    platform.forget_calls()
    with pytest.raises(connecting.IdTaken):
        connecting.connect(draft, by=make_actor(owner))
    assert (again(draft).state, platform.calls()) == (State.DRAFT, [])


def test_a_store_that_another_organization_has_connected_cannot_be_taken_from_it(draft, owner, stranger, platform):
    theirs = platform.draft(stranger)
    connecting.connect(theirs, by=make_actor(stranger))
    drafts.identify(draft, name="Mine", ext_shop_id="another-id")
    drafts.agree_to_replace(draft, "hats-1")
    with pytest.raises(Rejected) as error:
        connecting.connect(draft, by=make_actor(owner))
    assert error.value.code == "other_organization"
    assert (again(draft).state, again(theirs).state) == (State.DRAFT, State.ACTIVE)
    assert platform.held() == {"Great Hats Online": "hats-1"}


def test_after_the_other_organization_has_let_go_the_store_can_be_connected(draft, owner, stranger, platform):
    theirs = platform.draft(stranger)
    connecting.connect(theirs, by=make_actor(stranger))
    Connection.objects.filter(pk=theirs.pk).update(state=State.DISCONNECTED)
    drafts.agree_to_replace(draft, "hats-1")
    connecting.connect(draft, by=make_actor(owner))
    assert again(draft).state == State.ACTIVE


@pytest.mark.parametrize("kind", ["server_error", "rate_limited", "cut_off_json", "html_page"])
def test_a_platform_in_trouble_before_anything_was_changed_leaves_a_draft(draft, owner, platform, kind):
    platform.sandbox.fault(kind, times=1)
    if kind == "cut_off_json":
        platform.hold(draft.store, "hats-1")  # a 404 has no JSON to cut
        platform.sandbox.fault(kind, times=1)
    with pytest.raises(Unreachable) as error:
        connecting.connect(draft, by=make_actor(owner))
    assert (again(draft).state, again(draft).problem) == (State.DRAFT, error.value.code)
    assert (Shop.objects.count(), SyncRun.objects.count()) == (0, 0)


def test_a_refused_post_leaves_a_draft_with_the_reason(draft, owner, platform, monkeypatch):
    fail(monkeypatch, "connect", Rejected("no", code="forbidden", status=403), when="before")
    with pytest.raises(Rejected):
        connecting.connect(draft, by=make_actor(owner))
    assert (again(draft).state, again(draft).problem) == (State.DRAFT, "forbidden")


def test_a_lost_permission_leaves_a_draft_that_begins_with_logging_in(draft, owner, platform):
    platform.sandbox.fault("expire_token")
    with pytest.raises(Unauthorized):
        connecting.connect(draft, by=make_actor(owner))
    assert (again(draft).state, again(draft).next_step) == (State.DRAFT, "authorize")
    assert Integration.objects.get().state == Integration.State.NEEDS_RECONNECT


def test_a_race_for_the_store_at_the_platform_is_told_with_the_id_that_won(draft, owner, platform, monkeypatch):
    real = connecting._replace

    def somebody_is_faster(claimed, **held):
        platform.hold(draft.store, "faster")
        real(claimed, **held)

    monkeypatch.setattr(connecting, "_replace", somebody_is_faster)
    with pytest.raises(connecting.HeldElsewhere) as error:
        connecting.connect(draft, by=make_actor(owner))
    assert error.value.held == "faster"
    assert again(draft).state == State.DRAFT


def test_connecting_again_after_disconnecting_finds_the_same_shop_and_products(draft, owner, platform):
    connecting.connect(draft, by=make_actor(owner))
    running.run(SyncRun.objects.get().pk)
    shop, listings = Shop.objects.get(), list(Listing.objects.values_list("pk", "updated_at"))
    connecting.disconnect(draft, by=make_actor())
    Connection.objects.update(disconnect_at=draft.created_at)
    connecting.finish_disconnect(draft)
    assert (Shop.objects.get().is_active, platform.held()) == (False, {})
    platform.permit(draft.integration)
    second = platform.draft(owner, integration=draft.integration, ext_shop_id="hats-2")
    connecting.connect(second, by=make_actor(owner))
    running.run(SyncRun.objects.get(state=SyncRun.State.QUEUED).pk)
    assert again(second).shop == Shop.objects.get() == shop
    assert (Shop.objects.get().is_active, Shop.objects.get().ext_shop_id) == (True, "hats-2")
    assert list(Listing.objects.values_list("pk", "updated_at")) == listings
