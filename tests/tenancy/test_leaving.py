"""TN-15: who is removed, downgraded or switched off can do nothing more, nor can what they let in or made."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Membership, Role, User
from apps.integrations.models import Authorization
from tests.api.calling import call, said
from tests.conftest import signed_in
from tests.factories import (
    make_access_token,
    make_authorization,
    make_key,
    make_member,
    make_organization,
    make_partner_integration,
    make_shop,
)
from tests.integrations.oauth.flow import Flow
from tests.onboarding.pages import HTMX

ORGANIZATION = "organization/v1/organization"
UNAUTHORIZED = (401, "unauthorized")


@pytest.fixture
def owner(db) -> User:
    return make_member(organization=make_organization(name="Great Hats"))


@pytest.fixture
def leaving(owner) -> User:
    """An admin of the owner's organization."""
    return make_member(organization=owner.organization, role=Role.ADMIN)


def removed(owner: User, leaving: User) -> None:
    signed_in(owner).post(f"/team/{leaving.membership.pk}/remove/")


def downgraded(owner: User, leaving: User) -> None:
    signed_in(owner).post(f"/team/{leaving.membership.pk}/role/", {"role": Role.VIEWER})


def switched_off(owner: User, leaving: User) -> None:
    User.objects.filter(pk=leaving.pk).update(is_active=False)


def moved(owner: User, leaving: User) -> None:
    """To another organization, as its owner."""
    removed(owner, leaving)
    Membership.objects.create(organization=make_organization(), user=leaving, role=Role.OWNER)


LEAVES = [removed, downgraded, switched_off, moved]
type Leave = Callable[[User, User], None]


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "part"])
@pytest.mark.parametrize(
    ("leave", "found"),
    [
        (removed, {"/team/": "/", "/connect/": "/"}),
        (downgraded, {"/team/": 200, "/connect/": 403}),
        (switched_off, {"/team/": "/accounts/login/?next=/team/", "/connect/": "/accounts/login/?next=/connect/"}),
    ],
)
def test_the_next_page_is_refused_while_they_are_signed_in(owner, leaving, leave, found, headers):
    browser = signed_in(leaving)
    assert browser.get("/connect/", headers=headers).status_code == 200
    leave(owner, leaving)
    answers = {path: browser.get(path, headers=headers) for path in found}
    places = {
        path: answer.headers.get("Location") or answer.headers.get("HX-Redirect") for path, answer in answers.items()
    }
    assert {path: places[path] or answer.status_code for path, answer in answers.items()} == found


@pytest.mark.parametrize("leave", [removed, downgraded])
def test_a_form_they_had_open_changes_nothing(owner, leaving, leave):
    browser, other = signed_in(leaving), make_member(organization=owner.organization, role=Role.MEMBER)
    leave(owner, leaving)
    browser.post(f"/team/{other.membership.pk}/remove/")
    assert Membership.objects.filter(user=other).exists()


@pytest.mark.parametrize("leave", LEAVES)
def test_their_key_is_dead_at_once(owner, leaving, leave: Leave):
    key = make_key(user=leaving)
    assert said(call("GET", ORGANIZATION, token=key))[0] == 200
    leave(owner, leaving)
    assert said(call("GET", ORGANIZATION, token=key)) == UNAUTHORIZED


@pytest.mark.parametrize("leave", LEAVES)
def test_what_they_let_in_is_out_at_once(owner, leaving, leave: Leave):
    integration = make_partner_integration(organization=owner.organization)
    flow = Flow(integration.partner.application, signed_in(leaving))
    given: dict[str, Any] = flow.tokens()
    assert said(call("GET", ORGANIZATION, token=given["access_token"]))[0] == 200
    leave(owner, leaving)
    assert said(call("GET", ORGANIZATION, token=given["access_token"])) == UNAUTHORIZED
    answer = flow.refresh(given["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("leave", LEAVES)
def test_a_code_they_gave_is_worth_nothing_afterwards(owner, leaving, leave: Leave):
    flow = Flow(make_partner_integration(organization=owner.organization).partner.application, signed_in(leaving))
    code = flow.code()
    leave(owner, leaving)
    answer = flow.redeem(code)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("leave", LEAVES)
def test_a_shops_own_token_lives_on(owner, leaving, leave: Leave):
    integration = make_partner_integration(organization=owner.organization)
    consent = make_authorization(integration=integration, user=leaving, is_lasting=True)
    make_shop(integration=integration, authorization=consent)
    token = make_access_token(authorization=consent)
    leave(owner, leaving)
    assert said(call("GET", ORGANIZATION, token=token)) == (
        200,
        {"id": str(owner.organization.pk), "name": "Great Hats"},
    )


def test_a_colleagues_consent_lives_on(owner, leaving):
    integration = make_partner_integration(organization=owner.organization)
    token = make_access_token(authorization=make_authorization(integration=integration, user=owner))
    removed(owner, leaving)
    assert said(call("GET", ORGANIZATION, token=token))[0] == 200


def test_a_deleted_person_takes_their_consent_along_and_leaves_shops_alone(owner, leaving):
    integration = make_partner_integration(organization=owner.organization)
    unbound = make_authorization(integration=integration, user=leaving)
    token = make_access_token(authorization=unbound)
    leaving.delete()
    assert said(call("GET", ORGANIZATION, token=token)) == UNAUTHORIZED
    assert Authorization.objects.filter(pk=unbound.pk).exists()


def test_who_signs_in_again_after_being_removed_sees_nothing(client: Client, owner, leaving):
    removed(owner, leaving)
    client.force_login(leaving)
    assert "You do not belong to a company yet" in client.get("/").content.decode()
