"""An integration that is deleted: whole, or not at all. What the platform hears of it is in tests/onboarding."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.api.errors import Problem
from apps.audit.models import Entry
from apps.audit.trail import Actor
from apps.integrations.models import Credential, Integration, SecretSettings
from apps.shops.deleting import delete
from apps.shops.models import Connection, Shop
from tests.api.calling import call, said
from tests.factories import (
    make_access_token,
    make_authorization,
    make_connection,
    make_custom_integration,
    make_draft,
    make_integration,
    make_key,
    make_partner_integration,
    make_shop,
)

pytestmark = pytest.mark.django_db
ADMIN = Actor(text="admin@foo-3pl.example", user_id=7)
State = Connection.State


def states() -> list[str]:
    return list(Connection.objects.order_by("created_at").values_list("state", flat=True))


def test_one_without_stores_is_gone_at_once_with_its_permission():
    integration = make_integration()
    make_draft(integration=integration)
    delete(integration, actor=ADMIN)
    found = Integration.objects.get()
    assert (found.state, bool(found.deleted_at)) == (Integration.State.NOT_CONFIGURED, True)
    assert not (Connection.objects.exists() or Credential.objects.exists())
    entry = Entry.objects.get()
    assert (entry.action, entry.target_id, entry.user_id) == ("integration.delete", str(integration.pk), 7)


def test_its_stores_are_left_and_the_permission_is_kept_until_the_platform_knows():
    integration = make_integration()
    make_connection(integration=integration)
    make_connection(integration=integration, state=State.PAUSED)
    later = timezone.now() + timedelta(hours=1)
    make_connection(integration=integration, state=State.DISCONNECTING, disconnect_at=later)
    make_connection(integration=integration, state=State.DISCONNECTED)
    other = make_connection(organization=integration.organization)
    delete(integration, actor=ADMIN)
    assert states() == [*[State.DISCONNECTING] * 3, State.DISCONNECTED, State.ACTIVE]
    assert Connection.objects.to_be_disconnected().count() == 3
    assert list(Shop.objects.active()) == [other.shop]
    assert Credential.objects.filter(integration=integration).exists()


def test_nothing_is_deleted_while_a_store_is_being_connected():
    integration = make_integration()
    make_connection(integration=integration)
    make_connection(integration=integration, state=State.CONNECTING)
    with pytest.raises(Problem) as refused:
        delete(integration, actor=ADMIN)
    assert refused.value.code == "conflict"
    assert (states(), Integration.objects.get().deleted_at) == ([State.ACTIVE, State.CONNECTING], None)
    assert Shop.objects.active().count() == 2


def test_deleting_twice_is_deleting_once():
    integration = make_integration()
    delete(integration, actor=ADMIN)
    before = Integration.objects.get().deleted_at
    delete(integration, actor=ADMIN)
    assert (Integration.objects.get().deleted_at, Entry.objects.count()) == (before, 1)


def test_keys_tokens_shops_and_secrets_die_at_once():
    custom, partners = make_custom_integration(), make_partner_integration()
    connection = make_connection(integration=partners)
    shops = make_authorization(integration=partners, is_lasting=True)
    make_shop(integration=partners, authorization=shops)
    tokens = [make_key(integration=custom), make_access_token(authorization=shops)]
    tokens.append(make_access_token(authorization=make_authorization(integration=partners)))
    secret = SecretSettings(integration=custom, organization=custom.organization)
    secret.secrets = {"token": "hush"}
    secret.save()
    for integration in (custom, partners):
        delete(integration, actor=ADMIN)
    for token in tokens:
        assert said(call("GET", "v1/shops", token=token)) == (401, "unauthorized")
    connection.refresh_from_db()
    assert connection.state == State.DISCONNECTED
    assert not (Shop.objects.active().exists() or SecretSettings.objects.exists())


def test_a_disabled_one_stays_disabled():
    integration = make_integration(state=Integration.State.DISABLED)
    delete(integration, actor=ADMIN)
    assert Integration.objects.get().is_disabled


def test_no_other_integration_is_touched():
    custom = make_custom_integration()
    other = make_custom_integration(organization=custom.organization)
    token = make_key(integration=other)
    delete(custom, actor=ADMIN)
    assert call("GET", "v1/shops", token=token).status_code == 200


def test_a_deleted_one_is_seen_nowhere(owner):
    integration = make_integration(organization=owner.organization)
    key = make_key(user=owner)
    path = f"v1/organizations/{owner.organization.pk}/integrations"
    assert call("DELETE", f"{path}/{integration.pk}", token=key).status_code == 204
    for rest in ("", "/settings", "/actions", "/runs"):
        assert said(call("GET", f"{path}/{integration.pk}{rest}", token=key)) == (404, "not_found")
    assert said(call("DELETE", f"{path}/{integration.pk}", token=key)) == (404, "not_found")
    assert call("GET", path, token=key).json()["data"] == []
