"""Consents in the 3PL's own site."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.urls import reverse

from apps.audit.models import Entry
from apps.integrations.models import AccessToken, Application, Authorization, Grant, IDToken, RefreshToken
from tests.conftest import signed_in
from tests.factories import make_user

from .flow import is_good

LIST = "/admin/integrations/authorization/"


@pytest.mark.parametrize("model", [Application, Grant, AccessToken, RefreshToken, IDToken])
def test_the_toolkits_own_pages_are_gone(model):
    pages = admin.site._registry.get(model)
    assert pages is None or not type(pages).__module__.startswith("oauth2_provider")


def test_a_consent_is_found_and_shown(flow, staff_client, owner):
    flow.code()
    made = Authorization.objects.get()
    for text in ("Pickwise", owner.email, owner.organization.name, flow.application.client_id, str(made.pk)):
        assert "Pickwise" in staff_client.get(LIST, {"q": text}).text
    page = staff_client.get(reverse("admin:integrations_authorization_change", args=[made.pk]))
    assert (page.status_code, "orders:read" in page.text) == (200, True)


def test_revoking_ends_its_tokens_and_is_written_down(flow, staff_client, staff):
    tokens = flow.tokens()
    made = Authorization.objects.get()
    chosen = {"action": "revoke", "_selected_action": [str(made.pk)]}
    asked = staff_client.post(LIST, chosen)
    assert (f"{made.organization}: {made}" in asked.text, is_good(tokens["access_token"])) == (True, True)
    chosen["post"] = "yes"
    told = staff_client.post(LIST, chosen, follow=True)
    assert "1 consent revoked." in told.text
    assert not is_good(tokens["access_token"])
    entry = Entry.objects.get(action="app.revoke")
    assert (entry.actor, entry.organization_id) == (staff.email, made.organization_id)
    staff_client.post(LIST, chosen)
    assert Entry.objects.filter(action="app.revoke").count() == 1


def test_whoever_may_only_look_cannot_revoke(flow, settings):
    settings.DEMO = True
    tokens = flow.tokens()
    looker = make_user(is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_authorization"))
    browser = signed_in(looker)
    assert browser.get(LIST).status_code == 200
    chosen = {"action": "revoke", "_selected_action": [str(Authorization.objects.get().pk)], "post": "yes"}
    browser.post(LIST, chosen)
    assert is_good(tokens["access_token"])
    assert browser.post("/admin/integrations/authorization/add/").status_code == 403
