import base64
import hashlib
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.integrations.connectors import get_connector
from apps.integrations.consent import begin
from apps.integrations.models import AuthorizationAttempt, Credential, Integration
from tests.concurrency import at_once
from tests.conftest import OTTER
from tests.factories import make_integration

from .trips import ACCOUNT, CALLBACK, come_back, exchanges, leave, problem_of


def test_the_owner_is_sent_to_the_platforms_login_page(otter, owner):
    address = begin(
        get_connector("otter"),
        user=owner,
        organization=owner.organization,
        subject=uuid4(),
        browser="a-browser",
        redirect_uri=CALLBACK,
    )
    parts = urlsplit(address)
    query = parse_qs(parts.query)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{OTTER}/v1/auth/oauth2/authorize"
    assert {name: values for name, values in query.items() if name not in {"state", "code_challenge"}} == {
        "response_type": ["code"],
        "client_id": ["crossdock"],
        "redirect_uri": [CALLBACK],
        "scope": ["organization.read organization.service_integration"],
        "code_challenge_method": ["S256"],
    }


def test_what_only_we_may_know_is_kept_hashed_or_sealed(otter, owner):
    query = leave(owner, browser="a-browser")
    attempt = AuthorizationAttempt.objects.get()
    row = " ".join(str(value) for value in AuthorizationAttempt.objects.values_list().get())
    assert query["state"] not in row
    assert "a-browser" not in row
    assert attempt.secrets["verifier"] not in row


def test_every_trip_has_a_state_and_a_verifier_of_its_own(otter, owner):
    queries = [leave(owner) for _ in range(3)]
    assert len({query["state"] for query in queries}) == 3
    assert len({query["code_challenge"] for query in queries}) == 3
    assert min(len(query["state"]) for query in queries) >= 43


def test_the_permission_is_kept_for_the_account_it_is_for(platform, owner):
    attempt, integration = come_back(owner, {"state": leave(owner)["state"], "code": "a-code"})
    assert (integration.organization, integration.connector) == (owner.organization, "otter")
    assert (integration.account_ref, integration.account_name, integration.name) == (
        ACCOUNT,
        "Great Hats",
        "Otter: Great Hats",
    )
    assert (integration.state, integration.created_by) == (Integration.State.CONNECTED, owner)
    assert integration.credential.secrets["access_token"] == "an-owners-token"
    assert integration.credential.organization == owner.organization
    assert integration.credential.expires_at > timezone.now() + timedelta(days=29)
    assert attempt.outcome == "connected"


def test_the_code_is_exchanged_with_exactly_what_the_trip_began_with(platform, owner):
    query = leave(owner)
    come_back(owner, {"state": query["state"], "code": "a code+/="})
    [sent] = exchanges(platform)
    verifier = sent.pop("code_verifier")
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    assert challenge == query["code_challenge"]
    assert sent == {
        "grant_type": "authorization_code",
        "code": "a code+/=",
        "redirect_uri": CALLBACK,
        "client_id": "crossdock",
        "client_secret": "a-client-secret",
        "scope": "organization.read organization.service_integration",
    }


def test_whose_account_it_is_is_asked_with_the_new_token(platform, owner):
    come_back(owner, {"state": leave(owner)["state"], "code": "a-code"})
    assert platform.calls[1].request.headers["Authorization"] == "Bearer an-owners-token"


def test_several_trips_can_be_under_way_at_once(platform, owner):
    states = [leave(owner, browser=browser)["state"] for browser in ("laptop", "phone", "laptop")]
    for state, browser in reversed([*zip(states, ("laptop", "phone", "laptop"), strict=True)]):
        come_back(owner, {"state": state, "code": "a-code"}, browser=browser)
    assert [attempt.outcome for attempt in AuthorizationAttempt.objects.all()] == ["connected"] * 3
    assert Integration.objects.count() == 1


def test_the_same_account_twice_in_an_organization_is_one_integration(platform, owner):
    [_, first] = come_back(owner, {"state": leave(owner)["state"], "code": "a-code"})
    [_, second] = come_back(owner, {"state": leave(owner)["state"], "code": "a-code"})
    assert (first, Integration.objects.count(), Credential.objects.count()) == (second, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_the_same_account_twice_at_once_is_one_integration(platform, owner):
    states = [leave(owner)["state"] for _ in range(4)]
    results = at_once(4, lambda: come_back(owner, {"state": states.pop(), "code": "a-code"})[1].pk)
    assert results == [Integration.objects.get().pk] * 4


@pytest.mark.django_db(transaction=True)
def test_a_permission_that_was_forgotten_can_be_given_twice_at_once(platform, owner):
    forgotten = make_integration(organization=owner.organization, account_ref=ACCOUNT, secrets={})
    states = [leave(owner)["state"] for _ in range(4)]
    results = at_once(4, lambda: come_back(owner, {"state": states.pop(), "code": "a-code"})[1].pk)
    assert results == [forgotten.pk] * 4


def test_the_same_account_in_two_organizations_is_two_integrations(platform, owner, stranger):
    for user in (owner, stranger):
        come_back(user, {"state": leave(user)["state"], "code": "a-code"})
    owners = Integration.objects.values_list("organization", "credential__organization")
    assert set(owners) == {(user.organization.pk,) * 2 for user in (owner, stranger)}


def test_reconnecting_gives_the_same_integration_a_fresh_permission(platform, owner):
    lost = make_integration(
        organization=owner.organization,
        account_ref=ACCOUNT,
        state=Integration.State.NEEDS_RECONNECT,
        state_reason="401",
    )
    state = leave(owner, integration=lost)["state"]
    assert come_back(owner, {"state": state, "code": "a-code"})[1] == lost
    lost.refresh_from_db()
    assert (lost.state, lost.state_reason) == (Integration.State.CONNECTED, "")
    assert Credential.objects.get().secrets["access_token"] == "an-owners-token"


def test_reconnecting_with_another_account_changes_nothing(platform, owner):
    lost = make_integration(
        organization=owner.organization, account_ref="another", state=Integration.State.NEEDS_RECONNECT
    )
    state = leave(owner, integration=lost)["state"]
    problem = problem_of(owner, {"state": state, "code": "a-code"})
    assert (problem.code, problem.account) == ("other_account", "Great Hats")
    lost.refresh_from_db()
    assert (lost.state, lost.account_ref) == (Integration.State.NEEDS_RECONNECT, "another")
    assert Integration.objects.count() == 1
    assert Credential.objects.get().secrets == {"access_token": "token-of-the-owner"}
