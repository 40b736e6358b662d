"""A refresh token is good once; what it gives is no more than was consented to."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from apps.api.grants import CONSENTED, ITSELF
from apps.audit.models import Entry
from apps.integrations.models import AccessToken, Authorization, RefreshToken
from tests.factories import make_partner, make_shop

from .flow import Flow, is_good


def test_a_refresh_token_gives_a_new_pair_and_is_spent(flow):
    old = flow.tokens()
    answer = flow.refresh(old["refresh_token"])
    new = answer.json()
    assert (answer.status_code, {**new, "access_token": "", "refresh_token": ""}) == (
        200,
        {
            "access_token": "",
            "refresh_token": "",
            "expires_in": 3600,
            "token_type": "Bearer",
            "scope": "organization.read orders:read",
        },
    )
    assert (is_good(old["access_token"]), is_good(new["access_token"])) == (False, True)
    assert AccessToken.objects.get().authorization == Authorization.objects.get()


def test_a_refresh_token_used_again_ends_the_whole_family(flow):
    """AS-09."""
    first = flow.tokens()
    second = flow.refresh(first["refresh_token"]).json()
    third = flow.refresh(second["refresh_token"]).json()
    again = flow.refresh(first["refresh_token"])
    assert (again.status_code, again.json()) == (400, {"error": "invalid_grant"})
    assert not is_good(third["access_token"])
    assert flow.refresh(third["refresh_token"]).status_code == 400
    assert Entry.objects.filter(action="token.replay", reason="refreshtoken used twice").exists()


def test_the_family_of_another_consent_lives_on(flow):
    first = flow.tokens()
    flow.verifier = "another" * 10
    other = flow.tokens()
    flow.refresh(first["refresh_token"])
    flow.refresh(first["refresh_token"])
    assert is_good(other["access_token"])


def test_another_application_can_do_nothing_with_it(flow, owner_client):
    tokens = flow.tokens()
    other = Flow(make_partner().application, owner_client)
    assert other.refresh(tokens["refresh_token"]).json() == {"error": "invalid_grant"}
    assert is_good(tokens["access_token"])
    assert flow.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize(
    "scope", [scope for scope in [*CONSENTED, *ITSELF] if scope not in "orders:read organization.read"]
)
def test_refreshing_gives_no_more_than_was_consented_to(flow, scope):
    """AS-10. The token that was not exchanged stays good."""
    tokens = flow.tokens()
    answer = flow.refresh(tokens["refresh_token"], scope=f"orders:read {scope}")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")
    assert is_good(tokens["access_token"])
    assert flow.refresh(tokens["refresh_token"]).status_code == 200


def test_refreshing_can_give_less_and_then_all_again(flow):
    """AS-10: RFC 6749, 6: the new refresh token has the scope of the consent."""
    less = flow.refresh(flow.tokens()["refresh_token"], scope="orders:read").json()
    assert (less["scope"], AccessToken.objects.get().scope) == ("orders:read", "orders:read")
    assert flow.refresh(less["refresh_token"]).json()["scope"] == "organization.read orders:read"


@pytest.mark.parametrize(("days", "status"), [(29, 200), (31, 400)])
def test_a_refresh_token_is_good_for_thirty_days(flow, days, status):
    tokens = flow.tokens()
    with time_machine.travel(timezone.now() + timedelta(days=days), tick=False):
        assert flow.refresh(tokens["refresh_token"]).status_code == status


def test_an_access_token_is_good_for_an_hour(flow):
    tokens = flow.tokens()
    for minutes, good in [(59, True), (61, False)]:
        with time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=False):
            assert is_good(tokens["access_token"]) is good


@pytest.mark.parametrize("token", [None, "", "made-up", "é", "x" * 10_000])
def test_what_is_no_refresh_token_gives_nothing(flow, token):
    assert flow.refresh(token).status_code == 400


def test_an_access_token_is_no_refresh_token(flow):
    assert flow.refresh(flow.tokens()["access_token"]).json() == {"error": "invalid_grant"}


# ---- A shop's tokens


@pytest.fixture
def lasting(flow):
    """Tokens of a consent that became a shop's."""
    tokens = flow.tokens()
    consent = Authorization.objects.get()
    Authorization.objects.update(is_lasting=True)
    make_shop(integration=consent.integration, authorization=consent)
    return tokens


def test_refreshing_a_shops_token_gives_one_that_never_expires(flow, lasting):
    body = flow.refresh(lasting["refresh_token"]).json()
    assert sorted(body) == ["access_token", "refresh_token", "scope", "token_type"]
    with time_machine.travel(timezone.now() + timedelta(days=3_000), tick=False):
        assert is_good(body["access_token"])
        assert flow.refresh(body["refresh_token"]).status_code == 200


def test_a_shops_token_outlives_the_person_who_agreed(flow, lasting, owner):
    owner.is_active = False
    owner.save()
    assert is_good(flow.refresh(lasting["refresh_token"]).json()["access_token"])


def test_a_shops_refresh_token_outlives_the_persons_row(flow, lasting, owner):
    owner.delete()
    assert is_good(flow.refresh(lasting["refresh_token"]).json()["access_token"])


def test_a_shops_token_dies_with_its_shop(flow, lasting):
    shop = Authorization.objects.get().shop
    shop.is_active = False
    shop.save()
    assert flow.refresh(lasting["refresh_token"]).status_code == 400


def test_a_shops_token_dies_with_its_organization(flow, lasting, owner):
    """AS-17."""
    owner.organization.is_active = False
    owner.organization.save()
    assert not is_good(lasting["access_token"])
    assert flow.refresh(lasting["refresh_token"]).status_code == 400


def test_a_consent_without_a_shop_dies_with_the_person_who_agreed(flow, owner):
    tokens = flow.tokens()
    owner.is_active = False
    owner.save()
    assert flow.refresh(tokens["refresh_token"]).status_code == 400
    assert RefreshToken.objects.get().revoked is None
