import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
import requests
import responses
import time_machine
from django.db import transaction
from django.utils import timezone

from apps.integrations import sessions
from apps.integrations.connectors import get_connector
from apps.integrations.connectors.base import Rejected, StoreRef, Unauthorized, Unreachable
from apps.integrations.models import ApplicationToken, Credential, Integration
from apps.integrations.sessions import call, call_renewed, open_client, store_token, token_request
from tests.concurrency import at_once, in_thread, wait_until_blocked
from tests.conftest import OTTER
from tests.factories import (
    APPLICATION_TOKEN,
    OWNER_TOKEN,
    make_application_token,
    make_credential,
    make_integration,
    make_organization,
)

from .connectors.otter import BRAND, ORGANIZATION, STORE, SUMMARIES, TOKEN, recorded

AMSTERDAM = StoreRef(BRAND, STORE, "great-hats-amsterdam")
EXPIRED = timedelta(minutes=-1)


def organization(client):
    return client.organization()


def expiring(*, expires_in: timedelta = EXPIRED, **secrets: str) -> Integration:
    """An integration whose token can be refreshed, and ends after so long."""
    integration = make_integration(secrets={})
    given = {"access_token": "old", "refresh_token": "refresh-1"} | secrets
    make_credential(integration=integration, secrets=given, expires_at=timezone.now() + expires_in)
    return integration


def kept(integration: Integration) -> dict[str, str]:
    return Credential.objects.get(integration=integration).secrets


class Platform:
    """Otter with tokens that count: the n-th it gives is `token-n`; calls with any other than `good` get a 401."""

    def __init__(self, web: responses.RequestsMock, *, seconds: float = 0) -> None:
        self.given: list[dict[str, str]] = []
        self.good: set[str] = set()
        self.refusal: tuple[int, str] | None = None
        self.expires_in: object = 3600
        self.seconds = seconds
        web.add_callback(responses.POST, OTTER + TOKEN, self.token)
        web.add_callback(responses.GET, OTTER + ORGANIZATION, self.answer("organization"))
        web.add_callback(responses.GET, OTTER + SUMMARIES, self.answer("summaries"))

    def token(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        self.given.append({name: values[0] for name, values in parse_qs(request.body).items()})
        time.sleep(self.seconds)
        if self.refusal:
            return self.refusal[0], {}, self.refusal[1]
        number = len(self.given)
        self.good.add(f"token-{number}")
        token = {"access_token": f"token-{number}", "refresh_token": f"refresh-{number + 1}", "token_type": "bearer"}
        if self.given[-1]["grant_type"] == "client_credentials":
            del token["refresh_token"]
        return 200, {}, json.dumps(token | {"expires_in": self.expires_in})

    def answer(self, name: str) -> Callable:
        def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
            if request.headers["Authorization"].removeprefix("Bearer ") in self.good:
                return 200, {}, json.dumps(recorded(name))
            return 401, {}, json.dumps(recorded("unauthorized"))

        return answer


@pytest.fixture
def platform(otter, db) -> Platform:
    make_application_token()
    platform = Platform(otter)
    platform.good = {OWNER_TOKEN, APPLICATION_TOKEN}
    return platform


# ---- With a token that is good


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


# ---- Refreshing


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


# ---- A 401


def test_a_first_401_is_tried_again_with_a_refreshed_token(platform):
    integration = expiring(expires_in=timedelta(days=1))
    assert call(integration, organization).name == "Great Hats"
    assert [given["refresh_token"] for given in platform.given] == ["refresh-1"]
    integration.refresh_from_db()
    assert integration.state == Integration.State.CONNECTED


def test_a_first_401_is_tried_again_with_the_same_token_when_it_cannot_be_refreshed(otter, db):
    make_application_token()
    otter.get(OTTER + ORGANIZATION, status=401)
    otter.get(OTTER + ORGANIZATION, json=recorded("organization"))
    assert call(make_integration(), organization).name == "Great Hats"


def test_a_second_401_needs_the_owner(otter, db):
    make_application_token()
    otter.get(OTTER + ORGANIZATION, status=401, json=recorded("unauthorized"))
    integration = make_integration()
    with pytest.raises(Unauthorized):
        call(integration, organization)
    assert len(otter.calls) == 2
    assert (integration.state, integration.needs_reconnect) == (Integration.State.NEEDS_RECONNECT, True)
    assert "answered 401" in Integration.objects.get().state_reason


def test_an_integration_an_admin_disabled_stays_so_after_a_401(otter, db):
    make_application_token()
    otter.get(OTTER + ORGANIZATION, status=401)
    integration = make_integration(state=Integration.State.DISABLED)
    with pytest.raises(Unauthorized):
        call(integration, organization)
    assert Integration.objects.get().state == Integration.State.DISABLED


def test_a_401_that_another_worker_has_cured_is_not_refreshed_again(platform):
    integration = expiring(expires_in=timedelta(days=1))
    stale = open_client(integration)
    call(integration, organization)
    with pytest.raises(Unauthorized):
        stale.organization()
    assert call_renewed(integration, organization, refused={"old"}).name == "Great Hats"
    assert len(platform.given) == 1


def test_without_any_permission_nothing_is_called_and_the_owner_is_needed(otter, db):
    integration = make_integration(secrets={})
    with pytest.raises(Unauthorized):
        call(integration, organization)
    assert len(otter.calls) == 0
    assert Integration.objects.get().state == Integration.State.NEEDS_RECONNECT


@pytest.mark.parametrize("error", [Unreachable("later"), Rejected("no"), ValueError("a bug")])
def test_what_is_no_401_is_not_tried_again(otter, db, error):
    make_application_token()
    tries = []

    def work(client):
        tries.append(client)
        raise error

    with pytest.raises(type(error)):
        call(make_integration(), work)
    assert len(tries) == 1
    assert Integration.objects.get().state == Integration.State.CONNECTED


# ---- Our own application's token


def products(client):
    return [item.name for item in client.products(AMSTERDAM).items]


def test_our_own_token_is_fetched_once_and_shared_by_all_tenants(platform, otter):
    ApplicationToken.objects.all().delete()
    for _ in range(3):
        assert call(make_integration(), products) == ["Panama Hat, white, M", "Bowler"]
    assert platform.given == [
        {
            "grant_type": "client_credentials",
            "scope": "catalog",
            "client_id": "crossdock",
            "client_secret": "a-client-secret",
        }
    ]
    assert ApplicationToken.objects.get().secrets["access_token"] == "token-1"


def test_our_own_token_is_renewed_before_its_end(platform):
    ApplicationToken.objects.update(expires_at=timezone.now() + timedelta(seconds=30))
    assert call(make_integration(), products) == ["Panama Hat, white, M", "Bowler"]
    assert len(platform.given) == 1
    assert ApplicationToken.objects.get().expires_at > timezone.now() + timedelta(minutes=50)


def test_our_own_token_is_fetched_anew_after_a_401(platform, db):
    platform.good.remove(APPLICATION_TOKEN)
    assert call(make_integration(), products) == ["Panama Hat, white, M", "Bowler"]
    assert [given["grant_type"] for given in platform.given] == ["client_credentials"]


def test_an_application_that_is_refused_for_good_is_not_the_owners_trouble(otter, db):
    make_application_token()
    otter.post(OTTER + TOKEN, json=recorded("application_token"))
    otter.get(OTTER + SUMMARIES, status=401, json=recorded("unauthorized"))
    integration = make_integration()
    with pytest.raises(Unreachable) as refused:
        call(integration, products)
    assert refused.value.code == "application_refused"
    assert Integration.objects.get().state == Integration.State.CONNECTED


@pytest.mark.parametrize("refusal", ['{"error": "invalid_client"}', json.dumps(recorded("unauthorized"))])
def test_client_credentials_that_are_refused_are_not_the_owners_trouble(platform, refusal):
    ApplicationToken.objects.all().delete()
    platform.refusal = 401, refusal
    with pytest.raises(Unreachable) as refused:
        call(make_integration(), organization)
    assert refused.value.code == "application_refused"
    assert Integration.objects.get().state == Integration.State.CONNECTED


# ---- Keys an operator dropped too early


def test_a_secret_that_cannot_be_opened_waits_for_its_key(platform, settings):
    integration = make_integration()
    keys = settings.CREDENTIAL_KEYS
    settings.CREDENTIAL_KEYS = ["other:" + "A" * 43 + "="]
    with pytest.raises(Unreachable) as waiting:
        call(integration, organization)
    assert waiting.value.code == "bug"
    settings.CREDENTIAL_KEYS = keys
    assert call(integration, organization).name == "Great Hats"


def test_our_own_token_that_cannot_be_opened_is_fetched_anew(platform):
    ApplicationToken.objects.update(sealed="lost:AAAA")
    assert call(make_integration(), products) == ["Panama Hat, white, M", "Bowler"]
    assert len(platform.given) == 1


# ---- What a token endpoint may answer


def ask() -> dict[str, object]:
    fetch = lambda session, url: session.fetch_token(url, grant_type="client_credentials", scope="catalog")  # noqa: E731
    return token_request(get_connector("otter"), fetch)


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, "", "garbled"),
        (200, "<html>", "garbled"),
        (200, '{"access_token": "cut o', "garbled"),
        (200, "[]", "garbled"),
        (200, "null", "garbled"),
        (200, '"text"', "garbled"),
        (200, "7", "garbled"),
        (200, "{}", "garbled"),
        (200, '{"access_token": null}', "garbled"),
        (200, '{"access_token": ""}', "garbled"),
        (200, '{"access_token": 7}', "garbled"),
        (200, '{"access_token": "a\\nb"}', "garbled"),
        (200, '{"access_token": "日本"}', "garbled"),
        (200, '{"access_token": "a", "expires_in": "soon"}', "garbled"),
        (200, '{"access_token": "a", "expires_in": Infinity}', "garbled"),
        (200, '{"access_token": "a", "expires_in": [1]}', "garbled"),
        (500, '{"access_token": "a"}', "unreachable"),
        (502, "<html>", "unreachable"),
        (302, "", "garbled"),
        (403, "<html>", "unreachable"),
        (400, "[]", "unreachable"),
        (429, "<html>", "rate_limited"),
        (429, '{"message": "Too many requests"}', "rate_limited"),
    ],
)
def test_an_answer_without_a_token_is_tried_again_later(otter, status, body, code):
    otter.post(OTTER + TOKEN, status=status, body=body)
    with pytest.raises(Unreachable) as error:
        ask()
    assert error.value.code == code
    assert len(otter.calls) == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("invalid_grant", "invalid_grant"),
        ("invalid_client", "invalid_client"),
        ("something_new", "token_refused"),
        ("x" * 300, "token_refused"),
        ("denied", "token_refused"),
        ("", "token_refused"),
        (None, "token_refused"),
        (7, "token_refused"),
        ({"code": 7}, "token_refused"),
        (["invalid_grant"], "token_refused"),
    ],
    ids=lambda value: str(value)[:20],
)
@pytest.mark.parametrize("status", [200, 400, 401])
def test_a_refusal_keeps_a_code_of_the_standard_only(otter, status, error, code):
    otter.post(OTTER + TOKEN, status=status, json={"error": error, "error_description": "why"})
    with pytest.raises(Rejected) as refused:
        ask()
    assert refused.value.code == code


@pytest.mark.parametrize("status", [400, 401, 403, 422])
def test_a_refusal_in_otters_own_form_is_one_too(otter, status):
    otter.post(OTTER + TOKEN, status=status, json=recorded("unauthorized"))
    with pytest.raises(Rejected) as refused:
        ask()
    assert (refused.value.code, refused.value.status) == ("token_refused", status)


@pytest.mark.parametrize(
    "trouble",
    [requests.ConnectionError("refused"), requests.ReadTimeout("slow")],
    ids=lambda error: type(error).__name__,
)
def test_a_token_endpoint_out_of_reach_is_tried_again_later(otter, trouble):
    otter.post(OTTER + TOKEN, body=trouble)
    with pytest.raises(Unreachable):
        ask()


@pytest.mark.parametrize("expires_in", [3600, "3600"])
def test_a_tokens_end_is_kept(db, expires_in):
    with time_machine.travel(datetime(2026, 11, 21, 12, tzinfo=UTC), tick=False):
        store_token(make_integration(secrets={}), {"access_token": "a", "expires_in": expires_in})
    assert Credential.objects.get().expires_at == datetime(2026, 11, 21, 13, tzinfo=UTC)


@pytest.mark.parametrize("answer", [{}, {"expires_in": None}, {"expires_in": "soon"}, {"expires_in": 10**30}])
def test_a_token_without_a_usable_end_has_none(db, answer):
    store_token(make_integration(secrets={}), {"access_token": "a"} | answer)
    assert Credential.objects.get().expires_at is None


def test_a_new_permission_replaces_the_old_one(db):
    integration = make_integration(secrets={"access_token": "old", "refresh_token": "old"})
    store_token(integration, {"access_token": "new"})
    assert kept(integration) == {"access_token": "new"}
