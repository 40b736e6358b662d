from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from apps.integrations import sessions
from apps.integrations.connectors.base import Unauthorized, Unreachable
from apps.integrations.models import Credential, Integration
from apps.integrations.sessions import call
from tests.concurrency import at_once, in_thread, wait_until_blocked
from tests.conftest import OTTER
from tests.factories import (
    OWNER_TOKEN,
    make_application_token,
    make_credential,
    make_integration,
    make_organization,
)

from ..connectors.otter import ORGANIZATION, TOKEN, recorded
from .platform import EXPIRED, Platform, expiring, kept, organization


def test_a_call_carries_the_owners_token(platform, otter):
    assert call(make_integration(), organization).name == "Great Hats"
    assert otter.calls[0].request.headers["Authorization"] == f"Bearer {OWNER_TOKEN}"
    assert platform.given == []


@pytest.mark.parametrize("expires_in", [timedelta(minutes=2), timedelta(days=30)])
def test_a_token_that_still_lives_is_not_refreshed(platform, expires_in):
    platform.good.add("old")
    assert call(expiring(expires_in=expires_in), organization).name == "Great Hats"
    assert platform.given == []


def test_a_token_near_its_end_that_cannot_be_refreshed_is_used_as_it_is(platform):
    integration = make_integration(secrets={})
    make_credential(integration=integration, secrets={"access_token": OWNER_TOKEN}, expires_at=timezone.now())
    assert call(integration, organization).name == "Great Hats"


def test_a_tenants_token_is_never_used_for_another(platform, otter):
    for name in ("a", "b"):
        platform.good.add(name)
        call(make_integration(organization=make_organization(), secrets={"access_token": name}), organization)
    assert [call.request.headers["Authorization"] for call in otter.calls] == ["Bearer a", "Bearer b"]


@pytest.mark.parametrize("expires_in", [EXPIRED, timedelta(seconds=30)])
def test_a_token_at_its_end_is_refreshed_before_the_call(platform, otter, expires_in):
    integration = expiring(expires_in=expires_in)
    assert call(integration, organization).name == "Great Hats"
    [given] = platform.given
    assert given == {
        "grant_type": "refresh_token",
        "refresh_token": "refresh-1",
        "client_id": "crossdock",
        "client_secret": "a-client-secret",
        "scope": "organization.read organization.service_integration",
    }
    assert [call.response.status_code for call in otter.calls] == [200, 200]
    assert kept(integration)["access_token"] == "token-1"


def test_a_new_refresh_token_replaces_the_old_one(platform):
    integration = expiring()
    call(integration, organization)
    assert kept(integration)["refresh_token"] == "refresh-2"
    Credential.objects.update(expires_at=timezone.now())
    call(integration, organization)
    assert [given["refresh_token"] for given in platform.given] == ["refresh-1", "refresh-2"]


def test_a_refresh_token_that_is_not_replaced_is_kept(otter, db):
    make_application_token()
    integration = expiring()
    otter.post(OTTER + TOKEN, json={"access_token": "new", "token_type": "bearer", "expires_in": 3600})
    otter.get(OTTER + ORGANIZATION, json=recorded("organization"))
    call(integration, organization)
    assert kept(integration)["refresh_token"] == "refresh-1"


def test_a_refreshed_token_is_stored_before_it_is_used(platform):
    integration = expiring()

    def die(client):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call(integration, die)
    assert kept(integration)["access_token"] == "token-1"


@pytest.mark.django_db(transaction=True)
def test_sixteen_workers_that_meet_an_expired_token_refresh_it_once_and_all_go_on(otter):
    make_application_token()
    platform = Platform(otter, seconds=0.3)
    integration = expiring()
    results = at_once(16, lambda: call(integration, organization).name)
    assert results == ["Great Hats"] * 16
    assert [given["grant_type"] for given in platform.given] == ["refresh_token"]


@pytest.mark.django_db(transaction=True)
def test_sixteen_workers_that_meet_a_401_refresh_once_and_all_go_on(otter):
    make_application_token()
    platform = Platform(otter, seconds=0.3)
    integration = expiring(expires_in=timedelta(days=1))
    results = at_once(16, lambda: call(integration, organization).name)
    assert results == ["Great Hats"] * 16
    assert [given["grant_type"] for given in platform.given] == ["refresh_token"]


@pytest.mark.django_db(transaction=True)
def test_sixteen_workers_without_an_application_token_fetch_one(otter):
    platform = Platform(otter, seconds=0.3)
    platform.good = {OWNER_TOKEN}
    integration = make_integration()
    results = at_once(16, lambda: call(integration, organization).name)
    assert results == ["Great Hats"] * 16
    assert [given["grant_type"] for given in platform.given] == ["client_credentials"]


@pytest.mark.django_db(transaction=True)
def test_who_waits_too_long_for_another_workers_refresh_tries_again_later(otter):
    make_application_token()
    integration = expiring()

    def impatient():
        with sessions.connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        return call(integration, organization)

    with ThreadPoolExecutor() as pool, transaction.atomic():
        Credential.objects.select_for_update().get()
        waiting = in_thread(pool, impatient)
        with pytest.raises(Unreachable) as late:
            waiting.result(timeout=10)
    assert late.value.code == "timeout"
    integration.refresh_from_db()
    assert integration.state == Integration.State.CONNECTED


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_waited_uses_what_the_other_stored(otter):
    make_application_token()
    platform = Platform(otter)
    platform.good = {"fresh"}
    integration = expiring()
    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            credential = Credential.objects.select_for_update().get()
            waiting = in_thread(pool, lambda: call(integration, organization).name)
            wait_until_blocked()
            credential.secrets = {"access_token": "fresh", "refresh_token": "refresh-2"}
            credential.expires_at = timezone.now() + timedelta(hours=1)
            credential.save()
        assert waiting.result(timeout=10) == "Great Hats"
    assert platform.given == []


def test_a_refresh_that_is_refused_for_good_needs_the_owner(platform):
    integration = expiring()
    platform.refusal = 400, '{"error": "invalid_grant"}'
    with pytest.raises(Unauthorized):
        call(integration, organization)
    integration.refresh_from_db()
    assert integration.state == Integration.State.NEEDS_RECONNECT
    assert kept(integration)["refresh_token"] == "refresh-1"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, "oops"),
        (503, '{"error": "invalid_grant"}'),
        (429, "{}"),
        (401, '{"error": "invalid_client"}'),
        (400, '{"error": "invalid_request"}'),
        (400, '{"error": "something_new"}'),
        (200, "<html>"),
        (200, "{}"),
        (302, ""),
    ],
)
def test_a_token_endpoint_in_trouble_is_no_revocation(platform, status, body):
    integration = expiring()
    platform.refusal = status, body
    with pytest.raises(Unreachable):
        call(integration, organization)
    integration.refresh_from_db()
    assert integration.state == Integration.State.CONNECTED
    assert kept(integration) == {"access_token": "old", "refresh_token": "refresh-1"}
