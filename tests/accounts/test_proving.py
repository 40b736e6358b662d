"""Before a secret is shown, whoever asks proves once more that it is them; its owners are told (AD-05)."""

from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.totp.internal.auth import TOTP
from django.core import mail
from django.test import Client
from django.urls import reverse

from apps.accounts import proving
from apps.accounts.models import Role
from apps.api.limits import Rate
from apps.audit.models import Entry
from apps.integrations.models import ApiKey

from ..conftest import signed_in
from ..factories import (
    PASSWORD,
    make_custom_integration,
    make_endpoint,
    make_inbox_secret,
    make_key,
    make_member,
    make_organization,
)
from ..test_operations import SECRET, code, log_in

START = "2026-11-21 08:00:00Z"


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as travelling:
        yield travelling


@pytest.fixture
def hats(db):
    """A customer with two owners, and somebody who is none."""
    found = make_organization(name="Great Hats")
    for name, role in (("anna", Role.OWNER), ("bob", Role.OWNER), ("max", Role.ADMIN)):
        make_member(email=f"{name}@hats.example", role=role, organization=found)
    return found


@pytest.fixture
def integration(hats):
    return make_custom_integration(organization=hats, name="Their WMS")


@pytest.fixture
def desk(clock, staff, settings) -> Client:
    settings.DEMO = True
    return signed_in(staff)


def action(row, name: str) -> str:
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{name}", args=[row.pk])


def pages(integration) -> dict[str, str]:
    """Each page that ends in showing a secret."""
    make_key(integration=integration)
    inbox = make_inbox_secret().inbox
    return {
        "a key for a person": reverse("admin:integrations_apikey_add"),
        "a key rotated": action(ApiKey.objects.get(), "rotate"),
        "a key for an integration": action(integration, "new_key"),
        "a custom integration": reverse("admin:integrations_partnerconnector_add"),
        "how messages are signed": action(make_endpoint(organization=integration.organization), "rotate"),
        "an inbox": reverse("admin:webhooks_inbox_add"),
        "an inbox that is changed": action(inbox, "set_up"),
        "an inbox's secret": action(inbox, "new_secret"),
    }


def test_every_page_that_shows_a_secret_asks_for_a_proof_of_the_last_five_minutes(desk, clock, integration):
    addresses = pages(integration)
    assert {name: desk.get(address).status_code for name, address in addresses.items()} == dict.fromkeys(addresses, 200)
    clock.shift(proving.FRESH + timedelta(seconds=1))
    for address in addresses.values():
        for answer in (desk.get(address), desk.post(address, {"name": "x", "overlap": "0", "hours": "0"})):
            assert answer.headers["Location"] == f"/accounts/reauthenticate/?next={address.replace('/', '%2F')}"
    assert Entry.objects.count() == 0


def test_outside_the_demo_it_takes_a_code_and_no_password(clock, staff, integration):
    TOTP.activate(staff, SECRET)
    client = log_in(staff)
    address = action(integration, "new_key")
    assert client.get(address).status_code == 200
    clock.shift(timedelta(minutes=6))
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    answer = client.get(address, follow=True)
    proof = f"/accounts/2fa/reauthenticate/?next={address.replace('/', '%2F')}"
    assert answer.redirect_chain[-1][0] == proof
    assert "Please prove once more that it is you." in answer.text
    answer = client.post(proof, {"code": code()}, follow=True)
    assert (answer.redirect_chain, answer.status_code) == ([(address, 302)], 200)


def test_its_owners_are_told_who_made_a_new_secret_for_what(desk, integration):
    desk.post(action(integration, "new_key"), {"name": "Packing", "all_grants": "on"})
    assert sorted(message.to[0] for message in mail.outbox) == ["anna@hats.example", "bob@hats.example"]
    said = mail.outbox[0]
    assert ("admin@foo-3pl.example" in said.body, "Packing" in said.subject) == (True, True)
    assert ApiKey.objects.get().prefix not in said.body.replace(str(ApiKey.objects.get()), "")


def test_a_new_secret_for_an_address_and_for_an_inbox_is_told_of_too(desk, hats):
    desk.post(action(make_endpoint(organization=hats), "rotate"), {"hours": "0"})
    integration = make_custom_integration(organization=hats)
    desk.post(action(make_inbox_secret().inbox, "new_secret"), {"overlap": "0"})
    assert (len(mail.outbox), integration.organization) == (2, hats)


def test_a_mail_server_that_is_down_hides_no_secret(desk, integration, monkeypatch):
    def refuse(*arguments: object) -> None:
        raise OSError("down")

    monkeypatch.setattr(proving, "send_mail", refuse)
    page = desk.post(action(integration, "new_key"), {"name": "Packing", "all_grants": "on"})
    assert (page.status_code, "The new key" in page.text) == (200, True)


def test_nobody_makes_secrets_by_the_dozen(desk, integration, monkeypatch):
    monkeypatch.setattr(proving, "SECRETS", Rate(1 / 3600, 2))
    address = action(integration, "new_key")
    given = {"name": "Packing", "all_grants": "on"}
    assert [desk.post(address, given).status_code for _ in range(3)] == [200, 200, 429]
    assert ApiKey.objects.count() == 2


def test_no_key_is_shown_a_second_time(desk, integration):
    shown = desk.post(action(integration, "new_key"), {"name": "Packing", "all_grants": "on"}).context["issued"][0]
    key = ApiKey.objects.get()
    pages = [action(key, "change"), action(key, "history"), action(integration, "change"), "/admin/audit/entry/"]
    pages += ["/admin/integrations/apikey/", *(action(entry, "change") for entry in Entry.objects.all())]
    assert [address for address in pages if shown.secret in desk.get(address).text] == []
