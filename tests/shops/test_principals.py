"""From a credential to who makes the call. Each test looks at what the sample address says of its caller."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone
from rest_framework.request import Request

from apps.accounts.models import Role, User
from apps.api import tokens
from apps.api.errors import Problem
from apps.api.principals import Kind, Principal
from apps.integrations.models import AccessToken, ApiKey, PartnerConnector, ReachableStore
from apps.shops.principals import MachineAuthentication
from tests.api import sample
from tests.api.conftest import basic, bearer
from tests.factories import (
    make_access_token,
    make_authorization,
    make_brand,
    make_connector_key,
    make_custom_integration,
    make_key,
    make_member,
    make_organization,
    make_partner,
    make_partner_integration,
    make_shop,
    make_store,
)

pytestmark = pytest.mark.django_db


def principal(headers: dict[str, str], **more: Any) -> Principal | None:
    found = MachineAuthentication().authenticate(Request(RequestFactory().get("/", headers=headers, **more)))
    return found[0] if found else None


def refusal(headers: dict[str, str]) -> str:
    with pytest.raises(Problem) as error:
        principal(headers)
    return error.value.code


def test_without_a_credential_there_is_nobody():
    assert principal({}) is None


@pytest.mark.parametrize("header", ["X-Api-Key", "X-Pipe17-Key"])
def test_a_key_has_two_headers_of_its_own(header):
    found = principal({header: make_key()})
    assert found and found.kind is Kind.KEY


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
def test_a_key_is_a_bearer_token_too(scheme):
    found = principal({"Authorization": f"{scheme} {make_key()}"})
    assert found and found.kind is Kind.KEY


def test_a_token_goes_in_the_key_headers_as_well():
    found = principal({"X-Api-Key": make_access_token()})
    assert found and found.kind is Kind.TOKEN


def test_an_integration_key_acts_for_its_integration_within_both_their_grants():
    integration = make_custom_integration(grants=["products:read", "orders:read"])
    found = principal(bearer(make_key(integration=integration, grants=["products:read", "shops:read"])))
    key = ApiKey.objects.get()
    assert found
    assert (found.kind, found.grants, found.usage_key) == (Kind.KEY, {"products:read"}, f"key:{key.pk}")
    assert (found.organization, found.integration, found.own) == (integration.organization, integration, integration)
    assert (found.connector, found.user, found.shop, found.stores) == (integration.partner, None, None, None)


def test_with_org_wide_access_it_sees_all_of_its_organization():
    found = principal(bearer(make_key(integration=make_custom_integration(org_wide_access=True))))
    assert found and (found.sees_all, found.own) == (True, None)


def test_a_connector_key_is_for_the_definition_alone():
    integration = make_custom_integration()
    found = principal(bearer(make_connector_key(integration=integration)))
    assert found and (found.kind, found.grants) == (Kind.CONNECTOR_KEY, {"connectors:read", "connectors:write"})
    assert (found.connector, found.integration, found.organization) == (
        integration.partner,
        None,
        integration.organization,
    )


def test_a_user_key_acts_for_its_person():
    user = make_member(role=Role.ADMIN)
    found = principal(bearer(make_key(user=user, grants=["orders:read"])))
    assert found and (found.kind, found.grants, found.own) == (Kind.USER_KEY, {"orders:read"}, None)
    assert (found.actor.user_id, found.actor.organization_id) == (user.pk, user.organization.pk)
    assert user.email in found.actor.text


def test_a_token_acts_for_the_integration_of_its_consent_within_scope_and_grants():
    integration = make_partner_integration(grants=["products:read", "orders:read"])
    consent = make_authorization(integration=integration)
    found = principal(bearer(make_access_token(authorization=consent, scope="products:read shops:read")))
    assert found and (found.kind, found.grants) == (Kind.TOKEN, {"products:read"})
    assert (found.integration, found.authorization, found.shop) == (integration, consent, None)
    assert (found.usage_key, found.own) == (f"integration:{integration.pk}", integration)


def test_a_shops_token_knows_its_shop():
    consent = make_authorization()
    shop = make_shop(integration=consent.integration, authorization=consent)
    found = principal(bearer(make_access_token(authorization=consent)))
    assert found and found.shop == shop


def test_a_limited_consent_names_its_stores():
    consent = make_authorization(integration=make_partner_integration(reaches_all_stores=False))
    covered, other = (make_store(brand=make_brand(organization=consent.organization)) for _ in range(2))
    ReachableStore.objects.create(organization=consent.organization, integration=consent.integration, store=covered)
    found = principal(bearer(make_access_token(authorization=consent)))
    assert found and found.stores is not None
    assert (covered in found.stores, other in found.stores) == (True, False)


def test_an_application_is_known_by_its_id_and_secret():
    partner = make_partner()
    found = principal(basic(partner.application.client_id))
    assert found and (found.kind, found.grants) == (Kind.APPLICATION, {"ping", "self:read", "self:write"})
    assert (found.connector, found.organization) == (partner, None)
    assert found.usage_key == f"client:{partner.application.client_id}"


def wrong_keys() -> dict[str, dict[str, str]]:
    now = timezone.now()
    gone, closed = make_organization(is_active=False), make_custom_integration()
    PartnerConnector.objects.filter(pk=closed.partner_id).update(deactivated_at=now)
    inactive = make_member(role=Role.ADMIN, is_active=False)
    moved = make_member(role=Role.ADMIN)
    moved_key = make_key(user=moved)
    moved.membership.organization = make_organization()
    moved.membership.save()
    alone = make_member()
    alone_key = make_key(user=alone)
    alone.membership.delete()
    return {
        "unknown": bearer(tokens.new_token("xdi")),
        "revoked": bearer(make_key(revoked_at=now)),
        "expired": bearer(make_key(expires_at=now - timedelta(seconds=1))),
        "of a tenant switched off": bearer(make_key(integration=make_custom_integration(organization=gone))),
        "of a connector that ended": bearer(make_key(integration=closed)),
        "for a connector that ended": bearer(make_connector_key(integration=closed)),
        "of somebody switched off": bearer(make_key(user=inactive)),
        "of a mere member": bearer(make_key(user=make_member(role=Role.MEMBER))),
        "of somebody who went to another tenant": bearer(moved_key),
        "of somebody who left": bearer(alone_key),
    }


def wrong_tokens() -> dict[str, dict[str, str]]:
    now = timezone.now()

    def token(**fields: Any) -> dict[str, str]:
        return bearer(make_access_token(authorization=make_authorization(**fields)))

    ended = make_authorization()
    PartnerConnector.objects.filter(pk=ended.application.connector_id).update(deactivated_at=now)
    closed = make_authorization()
    make_shop(integration=closed.integration, authorization=closed, is_active=False)
    gone = make_partner_integration(organization=make_organization(is_active=False))
    integration = make_partner_integration()
    return {
        "unknown": bearer(tokens.new_token("xda")),
        "expired": bearer(make_access_token(expires=now - timedelta(seconds=1))),
        "revoked": token(revoked_at=now),
        "of an application that ended": bearer(make_access_token(authorization=ended)),
        "of a closed shop": bearer(make_access_token(authorization=closed)),
        "of a tenant switched off": token(integration=gone),
        "of a mere member": token(
            integration=integration, user=make_member(organization=integration.organization, role=Role.MEMBER)
        ),
        "of a stranger": token(integration=integration, user=make_member()),
        "of somebody switched off": token(
            integration=integration, user=make_member(organization=integration.organization, is_active=False)
        ),
    }


def wrong_applications() -> dict[str, dict[str, str]]:
    partner, ended = make_partner(), make_partner(deactivated_at=timezone.now())
    client_id = partner.application.client_id
    return {
        "wrong secret": basic(client_id, "wrong"),
        "no secret": basic(client_id, ""),
        "unknown": basic("nobody"),
        "of a connector that ended": basic(ended.application.client_id),
        "with a NUL": basic(f"{client_id}\x00x"),
        "not in base64": {"Authorization": "Basic é!"},
        "not in UTF-8": {"Authorization": "Basic /////w=="},
        "without a colon": {"Authorization": "Basic eA=="},
        "a bearer's": {"Authorization": f"Bearer {client_id}"},
    }


@pytest.mark.parametrize("wrong", [wrong_keys, wrong_tokens, wrong_applications])
def test_every_wrong_credential_is_refused_alike(wrong):
    made = wrong()
    assert {why: refusal(headers) for why, headers in made.items()} == dict.fromkeys(made, "unauthorized")


def test_a_lasting_authorization_outlives_the_person_who_gave_it():
    user = make_member()
    integration = make_partner_integration(organization=user.organization)
    consent = make_authorization(integration=integration, user=user, is_lasting=True)
    token = make_access_token(authorization=consent)
    user.membership.delete()
    assert principal(bearer(token))
    User.objects.update(is_active=False)
    assert principal(bearer(token))


@pytest.mark.parametrize("scheme", ["Digest", "Token", "Negotiate", "x", "bearer;"])
def test_another_scheme_is_no_credential_of_ours(scheme):
    assert refusal({"Authorization": f"{scheme} {make_key()}"}) == "unauthorized"


def test_two_credentials_in_one_call_are_refused():
    key = make_key()
    for headers in (
        bearer(key) | {"X-Api-Key": key},
        {"X-Api-Key": key, "X-Pipe17-Key": key},
        bearer(f"{key},Bearer {key}"),
        {"X-Api-Key": f"{key},{key}"},
        basic("x") | {"X-Api-Key": key},
    ):
        assert refusal(headers) == "two_credentials"


def test_what_is_not_wellformed_is_not_looked_up(django_assert_num_queries):
    with django_assert_num_queries(1):  # the count of wrong ones
        refusal(bearer("xdi_not-one-of-ours"))


def test_the_address_is_the_one_the_proxies_name(settings, monkeypatch, client):
    sample.install(monkeypatch, settings)
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    found = principal(bearer(make_key()), REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="1.2.3.4, 203.0.113.7")
    assert found and found.actor.address == "203.0.113.7"


def test_client_credentials_get_a_token_for_the_application_alone():
    partner = make_partner()
    token = make_access_token()
    AccessToken.objects.update(authorization=None, application=partner.application, user=None, scope="ping")
    found = principal(bearer(token))
    assert found and (found.kind, found.grants, found.organization) == (Kind.APPLICATION, {"ping"}, None)


def test_a_machine_has_no_page_of_a_person(client: Client):
    assert client.get("/", headers=bearer(make_key())).status_code == 302
