import pytest

from apps.shops.models import Connection
from apps.syncs import running
from apps.syncs.models import SyncRun
from tests.conftest import signed_in
from tests.factories import (
    make_connection,
    make_draft,
    make_member,
    make_run,
)

from ...pages import HTMX, is_part, text

State = Connection.State


def again(draft):
    return Connection.objects.get(pk=draft.pk)


def test_the_import_is_followed_to_its_end_and_then_says_what_comes_next(owner_client, draft, platform):
    owner_client.post(f"/connect/{draft.pk}/check/")
    address = f"/connect/{draft.pk}/import/"
    assert "Your products are arriving" in text(owner_client.get(address))
    running.run(SyncRun.objects.get().pk)
    done = owner_client.get(address)
    sold = len(platform.sandbox.truth(draft.store.ext_id))
    assert "Great Hats Online is connected" in text(done)
    assert f"{sold} products have arrived." in text(done)
    assert "What you can do next" in text(done)
    assert "hx-get" not in done.content.decode()


@pytest.mark.parametrize("state", [SyncRun.State.RUNNING, SyncRun.State.FAILED, SyncRun.State.SUCCEEDED])
def test_htmx_gets_the_progress_as_it_stands_on_the_page(owner, owner_client, state):
    connection = make_connection(organization=owner.organization)
    make_run(connection=connection, state=state, done=10, total=40, error="timeout" if state == "failed" else "")
    address = f"/connect/{connection.pk}/import/"
    assert is_part(owner_client.get(address, headers=HTMX), of=owner_client.get(address))


@pytest.mark.parametrize("state", [State.DRAFT, State.PAUSED, State.DISCONNECTING, State.DISCONNECTED])
def test_a_page_that_follows_what_is_not_being_connected_is_loaded_anew(owner, owner_client, state):
    connection = make_connection(organization=owner.organization, state=state)
    answer = owner_client.get(f"/connect/{connection.pk}/import/", headers=HTMX)
    assert (answer.status_code, answer["HX-Redirect"]) == (200, f"/connect/{connection.pk}/")


def test_a_platform_that_fell_silent_is_told_while_we_go_on_by_ourselves(owner, owner_client):
    connection = make_connection(
        organization=owner.organization, state=State.CONNECTING, problem="silent_halfway", connected_at=None
    )
    answer = owner_client.get(f"/connect/{connection.pk}/import/")
    assert "Otter fell silent halfway. We ask it what holds, and finish by ourselves." in text(answer)


def test_an_import_that_has_to_wait_for_its_owner_says_so(owner, owner_client):
    connection = make_connection(organization=owner.organization)
    make_run(connection=connection, error="unauthorized")
    connection.integration.lose_permission("revoked")
    answer = owner_client.get(f"/connect/{connection.pk}/import/")
    assert "Otter no longer lets us in. Log in there again to go on." in text(answer)


def test_a_draft_goes_on_where_it_was_left(owner_client, draft):
    assert owner_client.get(f"/connect/{draft.pk}/").url == f"/connect/{draft.pk}/check/"
    Connection.objects.update(ext_shop_id="")
    assert owner_client.get(f"/connect/{draft.pk}/").url == f"/connect/{draft.pk}/name/"


@pytest.mark.parametrize("step", ["brand", "store", "name", "check"])
def test_a_step_ahead_leads_to_the_one_still_to_do(owner, owner_client, step):
    begun = make_draft(organization=owner.organization)
    assert owner_client.get(f"/connect/{begun.pk}/{step}/").url == f"/connect/{begun.pk}/log-in/"


def test_a_session_that_ended_leads_to_signing_in_and_back_to_the_step(client, draft):
    answer = client.get(f"/connect/{draft.pk}/store/")
    assert answer.url == f"/accounts/login/?next=/connect/{draft.pk}/store/"


def test_a_session_that_ends_under_a_page_that_follows_is_loaded_as_a_whole(client, draft):
    answer = client.get(f"/connect/{draft.pk}/import/", headers=HTMX)
    assert (answer.status_code, answer["HX-Redirect"]) == (
        200,
        f"/accounts/login/?next=/connect/{draft.pk}/import/",
    )


def test_a_member_who_was_removed_in_the_middle_connects_nothing(owner, draft):
    member = make_member(organization=owner.organization, role="member")
    client = signed_in(member)
    member.membership.delete()
    assert client.post(f"/connect/{draft.pk}/check/").url == "/"
    assert again(draft).state == State.DRAFT


def test_a_draft_can_be_thrown_away(owner_client, draft):
    assert owner_client.post(f"/connect/{draft.pk}/discard/").url == "/"
    assert not Connection.objects.exists()
