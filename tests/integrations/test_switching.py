"""An integration that is disabled, and enabled again (behaviour 42)."""

import pytest

from apps.audit.models import Entry
from apps.audit.trail import Actor
from apps.integrations import consenting
from apps.integrations.models import Authorization, Credential, Integration
from apps.integrations.switching import disable, enable
from tests.api.calling import call, said
from tests.factories import (
    make_access_token,
    make_authorization,
    make_custom_integration,
    make_integration,
    make_key,
    make_partner_integration,
)

pytestmark = pytest.mark.django_db
ADMIN = Actor(text="admin@foo-3pl.example", user_id=7)
State = Integration.State


def again(integration: Integration) -> Integration:
    return Integration.objects.get(pk=integration.pk)


def test_disabling_is_remembered_with_who_and_why():
    integration = make_integration()
    disable(integration, actor=ADMIN, reason="Unpaid")
    assert (integration.state, again(integration).state, again(integration).state_reason) == (
        State.DISABLED, State.DISABLED, "Unpaid",
    )  # fmt: skip
    entry = Entry.objects.get()
    assert (entry.action, entry.user_id, entry.target_id) == ("integration.disable", 7, str(integration.pk))
    assert entry.before == {"state": "connected", "state_reason": ""}
    assert entry.after == {"state": "disabled", "state_reason": "Unpaid"}


@pytest.mark.parametrize("state", [State.CONNECTED, State.NEEDS_RECONNECT, State.NOT_CONFIGURED])
def test_enabling_goes_back_to_what_was(state):
    integration = make_integration(state=state)
    disable(integration, actor=ADMIN)
    disable(integration, actor=ADMIN, reason="Still")
    assert again(integration).state_reason == "Still"
    assert enable(integration, actor=ADMIN)
    assert (integration.state, again(integration).state, again(integration).state_reason) == (state, state, "")


def test_enabling_what_is_not_disabled_does_nothing():
    integration = make_integration()
    assert not enable(integration, actor=ADMIN)
    assert not Entry.objects.exists()


def test_without_its_permission_it_is_not_connected_any_more():
    integration = make_integration()
    disable(integration, actor=ADMIN)
    Credential.objects.all().delete()
    enable(integration, actor=ADMIN)
    assert again(integration).state == State.NOT_CONFIGURED


def test_an_application_whose_consents_all_ended_is_not_connected_any_more():
    consented, withdrawn = make_partner_integration(), make_partner_integration()
    make_authorization(integration=consented)
    make_authorization(integration=withdrawn)
    disable(consented, actor=ADMIN)
    consenting.withdraw(withdrawn, actor=ADMIN)
    assert Authorization.objects.live().count() == 1
    enable(consented, actor=ADMIN)
    enable(withdrawn, actor=ADMIN)
    assert (again(consented).state, again(withdrawn).state) == (State.CONNECTED, State.NOT_CONFIGURED)


def test_keys_and_tokens_of_a_disabled_integration_are_refused_until_it_is_enabled():
    custom, partners = make_custom_integration(), make_partner_integration()
    tokens = {make_key(integration=custom): custom}
    tokens[make_access_token(authorization=make_authorization(integration=partners))] = partners
    for token, integration in tokens.items():
        path = f"v1/organizations/{integration.organization_id}/integrations/{integration.pk}/settings"
        assert call("GET", path, token=token).status_code == 200
        disable(integration, actor=ADMIN)
        assert said(call("GET", path, token=token)) == (403, "integration_disabled")
        enable(integration, actor=ADMIN)
        assert call("GET", path, token=token).status_code == 200


def test_settings_survive():
    integration = make_custom_integration(settings={"days": "3"})
    disable(integration, actor=ADMIN)
    enable(integration, actor=ADMIN)
    assert again(integration).settings == {"days": "3"}
