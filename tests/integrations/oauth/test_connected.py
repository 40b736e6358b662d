"""The owner's page of connected apps."""

from html import unescape

import pytest

from apps.api.limits import CALLS, spend
from apps.audit.models import Entry
from apps.integrations.models import Authorization, Integration
from tests.conftest import signed_in
from tests.factories import make_brand, make_member, make_partner, make_shop, make_store

from .flow import Flow, is_good


def text_of(browser) -> str:
    return unescape(browser.get("/apps/").text)


@pytest.fixture
def used(flow, owner):
    """An application that was let in for one store, made a shop there, and has called."""
    store = make_store(brand=make_brand(organization=owner.organization, name="Fedoras"), name="Main Street")
    flow.tokens(reach="chosen", stores=[str(store.pk)])
    consent = Authorization.objects.get()
    make_shop(integration=consent.integration, store=store, authorization=consent, name="Hat shop", ext_shop_id="hat-1")
    spend(f"integration:{consent.integration_id}", rate=CALLS)
    return consent.integration


def test_the_owner_sees_what_an_application_may_do_and_whether_it_does(flow, owner, owner_client, used):
    """AS-20."""
    text = text_of(owner_client)
    said = [
        used.name,
        "dev@partner.example",
        "See your orders",
        "Main Street",
        "Fedoras",
        owner.email,
        "Hat shop",
        "hat-1",
    ]
    assert [words for words in said if words not in text] == []
    assert "just now" in text


def test_an_application_that_never_called_says_so(flow, owner_client):
    flow.code()
    text = text_of(owner_client)
    assert "Never" in text
    assert "All, also new ones" in text


def test_the_page_without_apps_says_what_it_is_for(owner_client):
    assert "No app is connected" in text_of(owner_client)


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_takes_the_same_queries_however_long(owner_client, owner, count, django_assert_num_queries):
    for _ in range(count):
        Flow(make_partner().application, owner_client).code()
    with django_assert_num_queries(8):
        assert text_of(owner_client).count("<article") == count


def test_the_owner_disconnects_an_application_after_being_asked(flow, owner, owner_client):
    """AS-20."""
    tokens = flow.tokens()
    made = Integration.objects.get(partner=flow.application.connector)
    asked = owner_client.get(f"/apps/{made.pk}/disconnect/")
    assert f"Disconnect {made.name}?" in asked.text
    assert is_good(tokens["access_token"])
    told = owner_client.post(f"/apps/{made.pk}/disconnect/", follow=True)
    assert "can no longer do anything here" in told.text
    assert "No app is connected" in told.text
    assert not is_good(tokens["access_token"])
    entry = Entry.objects.get(action="app.withdraw")
    assert (entry.actor, entry.integration_id, entry.before["state"], entry.after["state"]) == (
        owner.email,
        made.pk,
        "connected",
        "disabled",
    )


@pytest.mark.parametrize("role", ["member", "viewer"])
def test_a_colleague_sees_the_apps_and_cannot_disconnect_them(flow, owner, role):
    tokens = flow.tokens()
    made = Integration.objects.get(partner=flow.application.connector)
    colleague = signed_in(make_member(organization=owner.organization, role=role))
    text = text_of(colleague)
    assert made.name in text
    assert "/disconnect/" not in text
    assert colleague.post(f"/apps/{made.pk}/disconnect/").status_code == 403
    assert is_good(tokens["access_token"])


def test_another_organization_sees_nothing_of_it(flow, stranger_client):
    flow.code()
    made = Integration.objects.get(partner=flow.application.connector)
    assert made.name not in text_of(stranger_client)
    assert stranger_client.post(f"/apps/{made.pk}/disconnect/").status_code == 404


def test_a_deactivated_application_is_not_listed(flow, owner_client):
    flow.code()
    partner = flow.application.connector
    partner.deactivated_at = partner.created_at
    partner.save()
    assert "No app is connected" in text_of(owner_client)
