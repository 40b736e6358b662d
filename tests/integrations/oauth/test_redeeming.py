"""A code is good once, for a minute, for one application, with its verifier (behaviours 12 and 13)."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from apps.api.grants import CONSENTED
from apps.audit.models import Entry
from apps.integrations.models import AccessToken, Authorization, Grant, RefreshToken
from tests.factories import CALLBACK_URL, make_partner

from .flow import SCOPE, Flow, challenge_of, is_good
from .test_asking import NOT_REGISTERED


def expect_nothing(answer, error: str = "invalid_grant") -> None:
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer["Cache-Control"] == "no-store"
    assert not (AccessToken.objects.exists() or RefreshToken.objects.exists())


def test_a_code_used_again_ends_what_its_first_use_gave(flow):
    """AS-01, behaviour 12."""
    code = flow.code()
    tokens = flow.redeem(code).json()
    assert is_good(tokens["access_token"])
    again = flow.redeem(code)
    assert (again.status_code, again.json()) == (400, {"error": "invalid_grant"})
    assert not is_good(tokens["access_token"])
    assert flow.refresh(tokens["refresh_token"]).json() == {"error": "invalid_grant"}
    first = Entry.objects.filter(action="token.replay").last()
    assert (first.outcome, first.reason, first.integration_id) == (
        "refused",
        "grant used twice",
        Authorization.objects.get().integration_id,
    )
    assert Authorization.objects.get().revoked_because == "grant used twice"


def test_a_code_used_again_long_after_it_expired_ends_them_too(flow):
    """AS-01."""
    code = flow.code()
    tokens = flow.redeem(code).json()
    with time_machine.travel(timezone.now() + timedelta(minutes=30), tick=False):
        assert flow.redeem(code).status_code == 400
        assert not is_good(tokens["access_token"])


@pytest.mark.parametrize(("seconds", "status"), [(58, 200), (61, 400)])
def test_a_code_is_good_for_a_minute(flow, seconds, status):
    """AS-03."""
    code = flow.code()
    with time_machine.travel(timezone.now() + timedelta(seconds=seconds), tick=False):
        assert flow.redeem(code).status_code == status


def test_a_code_in_the_hands_of_another_application_is_burnt(flow, owner_client):
    """AS-04."""
    code = flow.code()
    thief = Flow(make_partner().application, owner_client, verifier=flow.verifier)
    expect_nothing(thief.redeem(code))
    expect_nothing(flow.redeem(code))


@pytest.mark.parametrize("redirect_uri", [None, *NOT_REGISTERED[::4]])
def test_a_code_with_another_redirect_uri_is_burnt(flow, redirect_uri):
    """AS-04."""
    if "\x00" in (redirect_uri or ""):
        return
    code = flow.code()
    expect_nothing(flow.redeem(code, redirect_uri=redirect_uri))
    expect_nothing(flow.redeem(code))


@pytest.mark.parametrize(
    ("verifier", "error"),
    [
        (None, "invalid_request"),
        ("", "invalid_grant"),
        ("wrong" * 10, "invalid_grant"),
        ("é" * 43, "invalid_grant"),
        ("x" * 129, "invalid_grant"),
    ],
)
def test_a_code_without_its_verifier_is_burnt(flow, verifier, error):
    """AS-06, behaviour 13."""
    code = flow.code()
    expect_nothing(flow.redeem(code, code_verifier=verifier), error)
    expect_nothing(flow.redeem(code))


@pytest.mark.parametrize("verifier", ["x" * 42, "x" * 129, "x" * 42 + "!", "x" * 50 + "é"])
def test_a_verifier_that_is_none_is_refused_though_it_fits(flow, verifier):
    """AS-06: 43 to 128 unreserved characters (RFC 7636, 4.1)."""
    flow.verifier = verifier
    expect_nothing(flow.redeem(flow.code()))


@pytest.mark.parametrize("verifier", ["x" * 43, "-._~" * 32])
def test_the_shortest_and_the_longest_verifier_are_fine(flow, verifier):
    flow.verifier = verifier
    assert flow.redeem(flow.code()).status_code == 200


def test_the_challenge_is_no_verifier(flow):
    """AS-06: as `plain` would have it."""
    expect_nothing(flow.redeem(flow.code(), code_verifier=challenge_of(flow.verifier)))


@pytest.mark.parametrize("scope", [scope for scope in CONSENTED if scope not in SCOPE])
def test_a_code_gives_no_more_than_was_consented_to(flow, scope):
    """AS-10."""
    expect_nothing(flow.redeem(flow.code(), scope=f"orders:read {scope}"), "invalid_scope")


def test_a_code_can_give_less(flow):
    """AS-10. Otter's clients name their scopes here as well (contracts 3.1)."""
    body = flow.redeem(flow.code(), scope="orders:read").json()
    assert body["scope"] == "orders:read"
    assert AccessToken.objects.get().scope == "orders:read"


@pytest.mark.parametrize("code", [None, "", "made-up", "x" * 300, "é"])
def test_what_is_no_code_gives_nothing(flow, code):
    answer = flow.redeem(code)
    assert (answer.status_code, answer.json()["error"] in {"invalid_grant", "invalid_request"}) == (400, True)


def test_a_code_dies_with_the_right_of_the_person_who_agreed(flow, owner):
    code = flow.code()
    owner.membership.role = "member"
    owner.membership.save()
    expect_nothing(flow.redeem(code))


def test_a_code_of_a_consent_that_was_withdrawn_gives_nothing(flow):
    code = flow.code()
    Authorization.objects.all().revoke("withdrawn")
    expect_nothing(flow.redeem(code))


# ---- AS-08, the other half


@pytest.mark.parametrize(
    ("grant_type", "error"),
    [
        (None, "invalid_request"),
        ("", "invalid_request"),
        ("password", "unsupported_grant_type"),
        ("implicit", "unsupported_grant_type"),
        ("openid", "unsupported_grant_type"),
        ("urn:ietf:params:oauth:grant-type:device_code", "unsupported_grant_type"),
        ("urn:ietf:params:oauth:grant-type:jwt-bearer", "unsupported_grant_type"),
        ("urn:ietf:params:oauth:grant-type:token-exchange", "unsupported_grant_type"),
        ("AUTHORIZATION_CODE", "unsupported_grant_type"),
    ],
)
def test_other_grants_are_not_spoken(flow, owner, grant_type, error):
    """AS-08."""
    answer = flow.redeem(flow.code(), grant_type=grant_type, username=owner.email, password="secret")
    expect_nothing(answer, error)


def test_token_answers_are_never_cached_and_redirect_nowhere(flow):
    """AS-13, the telling half."""
    code = flow.code()
    answers = [flow.redeem(code), flow.redeem(code), flow.redeem("made-up"), flow.call("/oauth/introspect", token="x")]
    assert [answer.status_code for answer in answers] == [200, 400, 400, 200]
    assert {answer["Cache-Control"] for answer in answers} == {"no-store"}
    assert not any("Location" in answer.headers for answer in answers)


def test_the_code_row_remembers_when_it_was_used(flow):
    flow.redeem(flow.code())
    assert Grant.objects.get().used_at is not None
    assert Grant.objects.get().redirect_uri == CALLBACK_URL
