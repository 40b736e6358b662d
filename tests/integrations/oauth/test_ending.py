"""The end of a token: by its application, its owner, its people, its tenant; and what is told of it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from apps.audit.models import Entry
from apps.integrations import consenting
from apps.integrations.models import AccessToken, Authorization, Integration
from tests.concurrency import in_thread
from tests.conftest import signed_in
from tests.factories import make_member, make_partner

from .flow import INTROSPECT, REVOKE, TOKEN, Flow, is_good


def revoke_by_access_token(flow, tokens, owner):
    assert flow.call(REVOKE, token=tokens["access_token"]).status_code == 200


def revoke_by_refresh_token(flow, tokens, owner):
    answer = flow.call(REVOKE, token=tokens["refresh_token"], token_type_hint="refresh_token")
    assert (answer.status_code, answer.content) == (200, b"")


def disconnect(flow, tokens, owner):
    made = Integration.objects.get(partner=flow.application.connector)
    flow.owner.post(f"/apps/{made.pk}/disconnect/")


def deactivate_the_application(flow, tokens, owner):
    partner = flow.application.connector
    partner.deactivated_at = partner.created_at
    partner.save()


def deactivate_the_person(flow, tokens, owner):
    owner.is_active = False
    owner.save()


def remove_the_person(flow, tokens, owner):
    owner.membership.delete()


def downgrade_the_person(flow, tokens, owner):
    owner.membership.role = "member"
    owner.membership.save()


def deactivate_the_organization(flow, tokens, owner):
    owner.organization.is_active = False
    owner.organization.save()


ENDS = [
    revoke_by_access_token,
    revoke_by_refresh_token,
    disconnect,
    deactivate_the_application,
    deactivate_the_person,
    remove_the_person,
    downgrade_the_person,
    deactivate_the_organization,
]


@pytest.mark.parametrize("end", ENDS)
def test_a_token_is_dead_at_the_very_next_call(flow, owner, end):
    """AS-17: nothing is remembered between calls, so it is dead in every process."""
    tokens = flow.tokens()
    assert is_good(tokens["access_token"])
    end(flow, tokens, owner)
    assert not is_good(tokens["access_token"])
    assert flow.refresh(tokens["refresh_token"]).status_code in {400, 401}
    answer = flow.call(INTROSPECT, token=tokens["access_token"])
    assert answer.status_code == 401 or answer.json() == {"active": False}


@pytest.mark.django_db(transaction=True)
def test_another_process_knows_at_once():
    """AS-17, with another connection for another process."""
    trip = Flow(make_partner().application, signed_in(make_member()))
    tokens = trip.tokens()
    with ThreadPoolExecutor(1) as pool:
        assert in_thread(pool, lambda: is_good(tokens["access_token"])).result()
        trip.call(REVOKE, token=tokens["access_token"])
        assert not in_thread(pool, lambda: is_good(tokens["access_token"])).result()


@pytest.mark.parametrize("end", [revoke_by_access_token, revoke_by_refresh_token])
def test_the_end_of_a_token_is_written_down(flow, owner, end):
    end(flow, flow.tokens(), owner)
    entry = Entry.objects.get(action="token.revoke")
    assert (entry.actor, entry.organization_id) == (str(flow.application.connector), owner.organization.pk)


def test_an_application_can_end_its_own_token(flow):
    token = flow.call(TOKEN, grant_type="client_credentials").json()["access_token"]
    assert flow.call(REVOKE, token=token).status_code == 200
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize("token", ["made-up", "xda_x", "é"])
def test_ending_what_is_no_token_is_fine(flow, token):
    """RFC 7009, 2.2."""
    assert flow.call(REVOKE, token=token).status_code == 200


def test_ending_nothing_is_an_error(flow):
    assert flow.call(REVOKE).json()["error"] == "invalid_request"


def test_the_tokens_of_another_application_are_neither_ended_nor_seen(flow, owner_client):
    tokens = flow.tokens()
    other = Flow(make_partner().application, owner_client)
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert other.call(REVOKE, token=token).status_code == 200
        assert other.call(INTROSPECT, token=token).json() == {"active": False}
    assert is_good(tokens["access_token"])
    assert not Authorization.objects.exclude(revoked_at=None).exists()


def test_an_application_sees_its_own_tokens(flow, settings):
    tokens = flow.tokens()
    access = AccessToken.objects.get()
    told = flow.call(INTROSPECT, token=tokens["access_token"])
    assert told["Cache-Control"] == "no-store"
    assert told.json() == {
        "active": True,
        "scope": "organization.read orders:read",
        "client_id": flow.application.client_id,
        "token_type": "Bearer",
        "iat": int(access.created.timestamp()),
        "exp": int(access.expires.timestamp()),
        "iss": settings.PUBLIC_URL,
    }
    refresh = flow.call(INTROSPECT, token=tokens["refresh_token"]).json()
    assert (refresh["active"], refresh["exp"] - refresh["iat"]) == (True, 30 * 24 * 3600)


def test_a_shops_token_has_no_end(flow):
    tokens = flow.tokens()
    Authorization.objects.update(is_lasting=True)
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert "exp" not in flow.call(INTROSPECT, token=token).json()


@pytest.mark.parametrize("token", ["made-up", "", None])
def test_what_is_no_token_is_not_active(flow, token):
    answer = flow.call(INTROSPECT, token=token)
    assert answer.json() == {"active": False} or answer.json()["error"] == "invalid_request"


def test_withdrawing_ends_every_consent_of_that_integration_and_no_other(flow, owner, owner_client):
    first = flow.tokens()
    flow.verifier = "another" * 10
    second = flow.tokens()
    other = Flow(make_partner().application, owner_client)
    kept = other.tokens()
    made = Integration.objects.get(partner=flow.application.connector)
    consenting.withdraw(made, actor=consenting.Actor(owner.email))
    assert [is_good(each["access_token"]) for each in (first, second, kept)] == [False, False, True]
    made.refresh_from_db()
    assert (made.state, made.state_before, made.state_reason) == ("disabled", "connected", consenting.WITHDRAWN)
