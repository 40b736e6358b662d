"""Owners and admins of an organization look after its keys (behaviours 30 and 31)."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Role
from apps.audit.models import Entry
from apps.integrations.models import ApiKey
from tests.api.calling import call, said
from tests.conftest import signed_in
from tests.factories import (
    make_connector_key,
    make_custom_integration,
    make_integration,
    make_key,
    make_member,
    make_shop,
)

KEYS, NEW = "/keys/", "/keys/new/"


def names(page: object) -> list[str]:
    return [unescape(name) for name in re.findall(r'item-title">([^<]+)<', page.text)]


def secret(page: object) -> str:
    return re.findall(r'id="key">([^<]+)<', page.text)[0]


def end(token: str) -> str:
    return reverse("end-key", args=[ApiKey.objects.by_token(token).get().pk])


def words(page: object) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text)))


def test_a_key_of_ones_own_sees_the_organization_and_is_shown_once(owner_client, owner):
    make_shop(integration=make_integration(organization=owner.organization), ext_shop_id="hats-1")
    page = owner_client.post(NEW, {"name": "Export", "grants": ["shops:read"]})
    token = secret(page)
    assert (page.status_code, "no-store" in page.headers["Cache-Control"]) == (200, True)
    status, body = said(call("GET", "v1/shops", token=token))
    assert (status, [shop["ext_shop_id"] for shop in body["data"]]) == (200, ["hats-1"])
    assert said(call("GET", "organization/v1/organization", token=token)) == (403, "insufficient_scope")
    listed = owner_client.get(KEYS)
    assert (names(listed), token in listed.text) == (["Export"], False)
    entries = Entry.objects.filter(action__startswith="key.").order_by("id")
    assert [(entry.action, entry.user_id, entry.organization_id) for entry in entries] == [
        ("key.issue", owner.pk, owner.organization.pk),
        ("key.reveal", owner.pk, owner.organization.pk),
    ]


@pytest.mark.parametrize(
    "given", [{"name": ""}, {"grants": []}, {"grants": ["ping"]}, {"grants": ["organization.service_integration"]}]
)
def test_a_key_that_makes_no_sense_is_refused(owner_client, given):
    page = owner_client.post(NEW, {"name": "Export", "grants": ["shops:read"]} | given)
    assert ("error-summary" in page.text, ApiKey.objects.count()) == (True, 0)


def test_the_form_offers_what_can_be_seen_and_changed_in_plain_words(owner_client):
    page = words(owner_client.get(NEW))
    assert [text in page for text in ("See your orders", "Add, change and cancel orders", "orders:read")] == [
        True,
        True,
        False,
    ]


def test_the_page_shows_every_key_that_works(owner_client, owner, stranger, django_assert_num_queries):
    organization = owner.organization
    integration = make_custom_integration(organization=organization, name="Great WMS")
    make_key(user=owner, name="Mine")
    make_key(user=stranger, name="A stranger's")
    make_key(integration=integration, name="Ended", revoked_at=timezone.now())
    with django_assert_num_queries(5):
        assert names(owner_client.get(KEYS)) == ["Mine"]
    make_key(user=make_member(organization=organization, role=Role.ADMIN), name="A colleague's")
    used = make_key(integration=integration, name="Of the warehouse")
    make_connector_key(integration=integration, name="Of its definition")
    call("GET", "v1/keys/self", token=used)
    with django_assert_num_queries(5):
        page = owner_client.get(KEYS)
    assert names(page) == ["A colleague's", "Mine", "Of its definition", "Of the warehouse"]
    assert [text in words(page) for text in ("Last used just now", "Never used", "Great WMS")] == [True] * 3


def test_a_key_that_was_replaced_says_how_long_it_works_and_who_still_uses_it(owner_client, owner):
    now = timezone.now()
    rotation = {"rotated_at": now, "expires_at": now + timedelta(days=1), "calls_when_rotated": 0}
    token = make_key(integration=make_custom_integration(organization=owner.organization), **rotation)
    for _ in range(2):
        call("GET", "v1/keys/self", token=token)
    page = words(owner_client.get(KEYS))
    assert ("Works until" in page, "used 2 times since it was replaced" in page) == (True, True)


def test_a_key_is_ended_after_asking(owner_client, owner):
    token = make_key(user=owner, name="Mine")
    assert "End the key “Mine”?" in words(owner_client.get(end(token)))
    assert call("GET", "v1/shops", token=token).status_code == 200
    page = owner_client.post(end(token), follow=True)
    assert (page.redirect_chain, "The key “Mine” no longer works." in words(page)) == ([(KEYS, 302)], True)
    assert said(call("GET", "v1/shops", token=token)) == (401, "unauthorized")
    assert owner_client.post(end(token)).status_code == 404
    assert Entry.objects.get(action="key.terminate").user_id == owner.pk


def test_an_admin_ends_a_colleagues_key_and_no_strangers(owner_client, owner, stranger_client):
    colleague = make_member(organization=owner.organization, role=Role.ADMIN)
    token = make_key(user=colleague)
    assert stranger_client.post(end(token)).status_code == 404
    assert call("GET", "v1/shops", token=token).status_code == 200
    owner_client.post(end(token))
    assert said(call("GET", "v1/shops", token=token)) == (401, "unauthorized")


def test_only_who_may_manage_is_shown_the_way(owner):
    viewer = signed_in(make_member(organization=owner.organization, role=Role.VIEWER))
    assert [address in viewer.get("/apps/").text for address in (KEYS, NEW)] == [False, False]
    assert KEYS in signed_in(owner).get("/apps/").text
    assert viewer.get(KEYS).status_code == 403
