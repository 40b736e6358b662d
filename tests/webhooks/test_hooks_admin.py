"""Endpoints in the admin: how each is doing, who must act, and what can be done there."""

from html import unescape

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from apps.webhooks.models import Delivery, Endpoint, Hook, SigningSecret
from tests.conftest import signed_in
from tests.factories import make_delivery, make_endpoint, make_hook, make_notice, make_signing_secret, make_user

from .receiver import receiver


def page(endpoint: Endpoint) -> str:
    return reverse("admin:webhooks_endpoint_change", args=[endpoint.pk])


def button(name: str, endpoint: Endpoint) -> str:
    return reverse(f"admin:webhooks_endpoint_{name}", args=[endpoint.pk])


def test_an_endpoint_says_who_must_act_and_what_went_there_last(staff_client):
    endpoint = make_endpoint(
        state="disabled", reason="failing", failures=7, failing_since=timezone.now(), last_error="timeout"
    )
    delivery = make_delivery(hook=make_hook(endpoint=endpoint))
    make_notice(endpoint=endpoint)
    text = staff_client.get(page(endpoint)).text
    assert "Whoever looks after that system has to mend it." in text
    for said in ["Disabled", "It did not take anything several times in a row", "order.created"]:
        assert said in text
    assert reverse("admin:webhooks_delivery_change", args=[delivery.pk]) in text


def test_it_is_paused_and_resumed_with_a_choice(staff_client):
    hook = make_hook()
    staff_client.post(button("pause", hook.endpoint))
    assert Endpoint.objects.get().state == "paused"
    kept = [make_delivery(hook=hook) for _ in range(2)]
    asked = staff_client.get(button("resume", hook.endpoint)).text
    assert "Send all, in order: 2" in asked and "Send none: 0" in asked
    answer = staff_client.post(button("resume", hook.endpoint), {"choice": "drop"}, follow=True)
    assert "0 messages are sent now." in answer.text
    assert Endpoint.objects.get().state == "active"
    assert set(Delivery.objects.filter(pk__in=[one.pk for one in kept]).values_list("state", flat=True)) == {"dropped"}


def test_a_new_secret_is_shown_once(staff_client):
    old = make_signing_secret()
    answer = staff_client.post(button("rotate", old.endpoint), {"hours": "24"})
    new = SigningSecret.objects.exclude(pk=old.pk).get()
    assert new.secrets["key"] in answer.text and "no-store" in answer.headers["Cache-Control"]
    assert new.secrets["key"] not in staff_client.get(page(old.endpoint)).text


def test_a_test_shows_what_came_back(staff_client):
    endpoint = make_signing_secret(endpoint=make_endpoint(url="https://10.0.0.1/hear")).endpoint
    make_hook(endpoint=endpoint)
    text = staff_client.post(button("send_test", endpoint), {"event": "order.created"}).text
    assert "The test did not arrive." in text and "refused" in text


def test_a_test_shows_no_token_that_came_back(staff_client, settings):
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]
    with receiver() as there:
        there.answers = lambda message: (503, {"X-Say": "hello", "X-Access-Token": "of-theirs"})
        endpoint = make_signing_secret(endpoint=make_endpoint(url=there.url)).endpoint
        make_hook(endpoint=endpoint)
        text = unescape(staff_client.post(button("send_test", endpoint), {"event": "order.created"}).text).lower()
    assert ("x-say: hello" in text, "x-access-token: …" in text, "of-theirs" in text) == (True, True, False)


@pytest.mark.parametrize("kind", ["endpoint", "hook"])
def test_an_address_is_found_by_what_is_shown_of_it(staff_client, kind):
    hook = make_hook(endpoint=make_endpoint(url="https://hats.example/hear?key=hush"))
    row = hook.endpoint if kind == "endpoint" else hook
    found = {
        text: list(staff_client.get(f"/admin/webhooks/{kind}/", {"q": text}).context["cl"].result_list)
        for text in ("hats.example", "example/hear", "hush", "key=", "?key", str(row.pk))
    }
    assert found == {
        "hats.example": [row], "example/hear": [row], "hush": [], "key=": [], "?key": [], str(row.pk): [row],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "lookup"),
    [
        ("endpoint", "url"), ("endpoint", "url__startswith"), ("endpoint", "url__regex"),
        ("hook", "endpoint__url__startswith"), ("delivery", "endpoint__url__startswith"),
        ("notice", "endpoint__url__startswith"),
    ],
)  # fmt: skip
def test_an_address_is_not_asked_for_letter_by_letter(staff_client, kind, lookup):
    make_hook(endpoint=make_endpoint(url="https://hats.example/hear?key=hush"))
    answer = staff_client.get(f"/admin/webhooks/{kind}/", {lookup: "https://hats.example/hear?key=h"})
    assert answer.status_code == 400


@pytest.mark.parametrize("name", ["pause", "rotate", "send_test"])
def test_who_may_only_look_does_nothing_there(db, settings, name):
    settings.DEMO = True
    viewer = make_user(is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_endpoint"))
    endpoint = make_endpoint()
    assert signed_in(viewer).get(page(endpoint)).status_code == 200
    assert signed_in(viewer).post(button(name, endpoint)).status_code == 403
    assert (Endpoint.objects.get().state, Hook.objects.count()) == ("active", 0)
