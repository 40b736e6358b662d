import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
import time_machine
from django.test import Client
from django.utils import timezone

from apps.integrations.models import AuthorizationAttempt, Credential, Integration
from apps.shops.models import Connection
from apps.syncs.models import SyncRun
from tests.conftest import signed_in
from tests.factories import PASSWORD, make_connection, make_draft, make_integration, make_member, make_run

from ..pages import text
from ..platform import consent_at


@pytest.fixture
def begun(owner):
    """A draft for Otter, without a permission."""
    return make_draft(organization=owner.organization, created_by=owner)


def leave(client, draft):
    """Press “Continue to Otter”: the address the browser is sent to."""
    answer = client.post(f"/connect/{draft.pk}/log-in/")
    assert answer.status_code == 302, answer.content
    return answer.url


def state_of(address):
    return parse_qs(urlsplit(address).query)["state"][0]


def nothing_was_given():
    return not Integration.objects.connected().exists() and not Credential.objects.exists()


def test_leaving_for_the_platform_asks_for_what_the_contract_wants(owner_client, begun, platform, settings):
    address = leave(owner_client, begun)
    assert address.startswith(platform.sandbox.url + "/v1/auth/oauth2/authorize?")
    asked = {name: value for name, [value] in parse_qs(urlsplit(address).query).items()}
    assert {name: value for name, value in asked.items() if name not in {"state", "code_challenge"}} == {
        "response_type": "code",
        "client_id": platform.application.client_id,
        "redirect_uri": "http://testserver/connect/callback/",
        "scope": "organization.read organization.service_integration",
        "code_challenge_method": "S256",
    }
    assert len(asked["state"]) >= 43 and len(asked["code_challenge"]) == 43


def test_the_browser_is_known_by_a_cookie_no_script_can_read(owner_client, begun, platform):
    leave(owner_client, begun)
    cookie = owner_client.cookies["crossdock_browser"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_consent_leads_on_to_the_brands(owner_client, begun, platform):
    answer = owner_client.get(consent_at(platform, leave(owner_client, begun)))
    assert (answer.status_code, answer.url) == (302, f"/connect/{begun.pk}/brand/")
    integration = Integration.objects.get()
    assert (integration.organization, integration.account_name) == (begun.organization, "Great Hats")
    assert Connection.objects.get().integration == integration
    assert AuthorizationAttempt.objects.get().outcome == "connected"


def test_a_denial_is_told_with_the_platforms_reason_and_can_be_tried_again(owner_client, begun, platform):
    back = consent_at(platform, leave(owner_client, begun), decision="deny")
    answer = owner_client.get(back, follow=True)
    assert answer.redirect_chain == [(f"/connect/{begun.pk}/log-in/", 302)]
    assert "Otter told us that you did not agree. Nothing was connected." in text(answer)
    assert "Otter says: “The user did not allow this”" in text(answer)
    assert "Try again" in text(answer)
    assert nothing_was_given()
    assert owner_client.get(consent_at(platform, leave(owner_client, begun))).url == f"/connect/{begun.pk}/brand/"


def test_the_platforms_words_are_shown_as_words(owner_client, begun, platform):
    state = state_of(leave(owner_client, begun))
    hostile = {"state": state, "error": "access_denied", "error_description": "<script>alert(1)</script>" + "x" * 5_000}
    answer = owner_client.get("/connect/callback/", hostile, follow=True)
    assert b"<script>alert" not in answer.content
    assert b"&lt;script&gt;alert(1)&lt;/script&gt;" in answer.content


def test_other_errors_of_the_platform_are_told_as_such(owner_client, begun, platform):
    state = state_of(leave(owner_client, begun))
    answer = owner_client.get("/connect/callback/", {"state": state, "error": "temporarily_unavailable"}, follow=True)
    assert "Otter did not let us in. Nothing was connected." in text(answer)
    assert "Otter says: “temporarily_unavailable”" in text(answer)


def test_the_same_answer_twice_is_used_once(owner_client, begun, platform):
    back = consent_at(platform, leave(owner_client, begun))
    owner_client.get(back)
    platform.forget_calls()
    answer = owner_client.get(back)
    assert (answer.status_code, answer.url) == (302, f"/connect/{begun.pk}/")
    assert owner_client.get(answer.url).url == f"/connect/{begun.pk}/brand/"
    assert platform.calls() == []
    assert Integration.objects.count() == 1


def test_a_reload_after_the_store_is_connected_shows_the_store(owner_client, begun, platform):
    back = consent_at(platform, leave(owner_client, begun))
    owner_client.get(back)
    made = make_connection(integration=Integration.objects.get())
    AuthorizationAttempt.objects.update(subject=made.pk)
    assert owner_client.get(back, follow=True).redirect_chain[-1] == (f"/stores/{made.pk}/", 302)


def spoil_unknown(client, back):
    return re.sub(r"state=[^&]+", "state=never-heard-of", back)


def spoil_expired(client, back):
    AuthorizationAttempt.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    return back


def spoil_browser(client, back):
    client.cookies["crossdock_browser"] = f"not-{client.cookies['crossdock_browser'].value}"
    return back


UNUSABLE = [spoil_unknown, spoil_expired, spoil_browser]


@pytest.mark.parametrize("spoil", UNUSABLE)
def test_an_answer_we_cannot_use_is_begun_anew_once_by_itself(owner_client, begun, platform, spoil):
    back = spoil(owner_client, consent_at(platform, leave(owner_client, begun)))
    platform.forget_calls()
    again = owner_client.get(back)
    assert again.status_code == 302
    assert again.url.startswith(platform.sandbox.url + "/v1/auth/oauth2/authorize?")
    assert platform.calls() == []
    assert nothing_was_given()
    assert owner_client.get(consent_at(platform, again.url)).url == f"/connect/{begun.pk}/brand/"


@pytest.mark.parametrize("spoil", UNUSABLE)
def test_a_second_time_in_a_row_is_explained_with_a_way_on(owner_client, begun, platform, spoil):
    first = spoil(owner_client, consent_at(platform, leave(owner_client, begun)))
    again = owner_client.get(first).url
    answer = owner_client.get(spoil(owner_client, consent_at(platform, again)))
    assert answer.status_code == 400
    assert "We lost the thread" in text(answer)
    assert f'href="/connect/{begun.pk}/log-in/"' in answer.content.decode()
    assert nothing_was_given()
    assert owner_client.get(consent_at(platform, leave(owner_client, begun))).url == f"/connect/{begun.pk}/brand/"


def test_after_a_known_end_the_next_lost_answer_is_begun_anew_again(owner_client, begun, platform):
    lost = owner_client.get(spoil_unknown(owner_client, consent_at(platform, leave(owner_client, begun))))
    owner_client.get(consent_at(platform, lost.url, decision="deny"))
    again = owner_client.get(spoil_unknown(owner_client, consent_at(platform, leave(owner_client, begun))))
    assert again.status_code == 302


def test_an_answer_to_a_question_nobody_asked_is_explained(owner_client, platform):
    answer = owner_client.get("/connect/callback/?state=x&code=y")
    assert answer.status_code == 400
    assert "This page belongs to nothing you have begun here." in text(answer)
    assert 'href="/"' in answer.content.decode()


def test_an_answer_without_anything_in_it_is_explained(owner_client, platform):
    assert owner_client.get("/connect/callback/").status_code == 400


def test_a_trip_begun_by_somebody_else_connects_nothing_for_either(owner_client, stranger_client, begun, platform):
    """RFC 9700 4.7: an attacker's answer in a victim's browser gives the victim nothing of the attacker's."""
    back = consent_at(platform, leave(owner_client, begun))
    stranger_client.cookies["crossdock_browser"] = owner_client.cookies["crossdock_browser"].value
    platform.forget_calls()
    assert stranger_client.get(back).status_code == 400
    assert platform.calls() == []
    assert nothing_was_given()


def test_a_colleague_in_the_same_browser_begins_anew_only_what_is_theirs(owner, owner_client, begun, platform):
    back = consent_at(platform, leave(owner_client, begun))
    colleague = signed_in(make_member(organization=owner.organization))
    colleague.cookies["crossdock_browser"] = owner_client.cookies["crossdock_browser"].value
    assert colleague.get(back).status_code == 400
    assert nothing_was_given()


def test_a_session_that_ended_on_the_way_goes_on_after_signing_in(owner, owner_client, begun, platform):
    back = consent_at(platform, leave(owner_client, begun))
    browser = Client()
    browser.cookies["crossdock_browser"] = owner_client.cookies["crossdock_browser"].value
    stopped = browser.get(back)
    assert stopped.status_code == 302
    assert stopped.url.startswith("/accounts/login/?next=/connect/callback/")
    answer = browser.post(stopped.url, {"login": owner.email, "password": PASSWORD}, follow=True)
    assert answer.redirect_chain[-1][0].startswith(f"/connect/{begun.pk}/")
    assert Connection.objects.get().integration == Integration.objects.connected().get()


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("server_error", "Otter could not be reached. Please try again in a few minutes."),
        ("rate_limited", "Otter is very busy. Please try again in a minute."),
        ("html_page", "Otter sent an answer that made no sense. Please try again."),
        ("cut_off_json", "Otter sent an answer that made no sense. Please try again."),
        ("invalid_grant", "Otter did not accept the way back. Please try once more."),
        ("unauthorized", "Otter did not let us in. Please try again; if it happens again, tell us."),
    ],
)
def test_a_code_that_cannot_be_exchanged_stores_nothing_and_can_be_tried_again(
    owner_client, begun, platform, kind, sentence
):
    back = consent_at(platform, leave(owner_client, begun))
    platform.sandbox.fault(kind, path="/v1/auth/token")
    answer = owner_client.get(back, follow=True)
    assert answer.redirect_chain == [(f"/connect/{begun.pk}/log-in/", 302)]
    assert sentence in text(answer)
    assert nothing_was_given()
    platform.forget_calls()
    assert owner_client.get(back).url == f"/connect/{begun.pk}/"
    assert platform.calls() == []
    assert owner_client.get(consent_at(platform, leave(owner_client, begun))).url == f"/connect/{begun.pk}/brand/"


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("expire_token", "Otter did not let us in. Nothing was connected."),
        ("server_error", "Otter has a problem of its own. Please try again in a few minutes."),
        ("rate_limited", "Otter is very busy. Please try again in a minute."),
        ("cut_off_json", "Otter sent an answer that made no sense. Please try again."),
        ("slow", "Otter took too long to answer. Please try again in a few minutes."),
    ],
)
def test_an_account_that_cannot_be_read_stores_nothing(owner_client, begun, platform, kind, sentence, monkeypatch):
    monkeypatch.setattr("apps.egress.READ_SECONDS", 0.2)
    back = consent_at(platform, leave(owner_client, begun))
    platform.sandbox.fault(kind, path="/organization/", delay=0.5)
    answer = owner_client.get(back, follow=True)
    assert answer.redirect_chain == [(f"/connect/{begun.pk}/log-in/", 302)]
    assert sentence in text(answer)
    assert "Try again" in text(answer)
    assert nothing_was_given()


def test_an_answer_from_another_issuer_is_not_used(owner_client, begun, platform):
    platform.sandbox.fault("wrong_iss")
    back = consent_at(platform, leave(owner_client, begun))
    platform.forget_calls()
    answer = owner_client.get(back, follow=True)
    assert "The answer did not come from Otter, so we did not use it." in text(answer)
    assert (platform.calls(path="/token"), nothing_was_given()) == ([], True)


def test_fewer_permissions_than_asked_for_are_refused(owner_client, begun, otter):
    answer = {"access_token": "x", "scope": "organization.read", "token_type": "bearer", "expires_in": 60}
    otter.add(responses.POST, "https://otter.example.com/v1/auth/token", json=answer)
    state = state_of(leave(owner_client, begun))
    page = owner_client.get("/connect/callback/", {"state": state, "code": "c"}, follow=True)
    assert "Otter did not give us all the permissions we need." in text(page)
    assert nothing_was_given()


def test_an_account_known_already_can_be_gone_on_with(owner_client, begun, platform):
    known = platform.integration(begun.organization)
    page = owner_client.get(f"/connect/{begun.pk}/log-in/")
    assert "Go on as Great Hats" in text(page)
    answer = owner_client.post(f"/connect/{begun.pk}/log-in/", {"integration": known.pk})
    assert answer.url == f"/connect/{begun.pk}/brand/"
    assert Connection.objects.get().integration == known


def test_only_own_connected_accounts_are_offered(owner_client, begun, platform):
    own = make_integration(organization=begun.organization, state=Integration.State.NEEDS_RECONNECT)
    others = make_integration()
    page = owner_client.get(f"/connect/{begun.pk}/log-in/")
    assert "Go on as" not in text(page)
    for integration in (own, others):
        owner_client.post(f"/connect/{begun.pk}/log-in/", {"integration": integration.pk})
    assert Connection.objects.get().integration is None


@pytest.fixture
def lost(owner, platform):
    """A connected store whose permission is gone."""
    integration = platform.integration(owner.organization)
    Credential.objects.all().delete()
    integration.lose_permission("revoked")
    connection = make_connection(integration=integration)
    make_run(connection=connection, error="unauthorized")
    return connection


def reconnect(client, platform, connection, *, who="hats", decision="approve"):
    address = client.post(f"/stores/{connection.pk}/log-in/").url
    return client.get(consent_at(platform, address, who=who, decision=decision), follow=True)


def test_logging_in_again_brings_the_same_store_back_and_frees_its_work(owner_client, lost, platform):
    assert not SyncRun.objects.due().exists()
    answer = reconnect(owner_client, platform, lost)
    assert answer.redirect_chain[-1][0] == f"/stores/{lost.pk}/"
    assert "You are connected again." in text(answer)
    assert Integration.objects.get() == lost.integration
    assert Integration.objects.get().is_connected
    assert Connection.objects.get().shop == lost.shop
    assert SyncRun.objects.due().count() == 1


def test_another_account_is_noticed_and_nothing_changes(owner_client, lost, platform):
    before = Integration.objects.values().get(), Connection.objects.values().get()
    answer = reconnect(owner_client, platform, lost, who="shoes")
    assert answer.redirect_chain[-1][0] == f"/stores/{lost.pk}/log-in/"
    assert "You logged in with another account than this store belongs to. Nothing was changed." in text(answer)
    assert "You logged in as “Great Shoes”, and this store belongs to “Great Hats”." in text(answer)
    assert (Integration.objects.values().get(), Connection.objects.values().get()) == before
    assert not Credential.objects.exists()


def test_another_account_does_not_replace_a_permission_that_works(owner_client, owner, platform):
    connection = make_connection(integration=platform.integration(owner.organization))
    before = Credential.objects.values().get()
    reconnect(owner_client, platform, connection, who="shoes")
    assert Credential.objects.values().get() == before


def test_a_denial_at_reconnecting_leads_back_to_the_stores_page_of_it(owner_client, lost, platform):
    answer = reconnect(owner_client, platform, lost, decision="deny")
    assert answer.redirect_chain[-1][0] == f"/stores/{lost.pk}/log-in/"
    assert "you did not agree" in text(answer)


def test_the_wizard_can_be_left_and_gone_on_with_days_later_by_a_colleague_elsewhere(
    owner, owner_client, begun, platform
):
    owner_client.get(consent_at(platform, leave(owner_client, begun)), follow=True)
    hats = Connection.objects.get().organization.brands.get(name="Great Hats")
    owner_client.post(f"/connect/{begun.pk}/brand/", {"brand": hats.pk})
    owner_client.get(f"/connect/{begun.pk}/store/")
    with time_machine.travel(timezone.now() + timedelta(days=5)):
        colleague = signed_in(make_member(organization=owner.organization, role="member"))
        home = colleague.get("/")
        assert "Go on connecting a store of Otter" in text(home)
        assert colleague.get(f"/connect/{begun.pk}/").url == f"/connect/{begun.pk}/store/"
        store = hats.stores.get(name="Great Hats Antwerp")
        colleague.post(f"/connect/{begun.pk}/store/", {"store": store.pk})
        colleague.post(f"/connect/{begun.pk}/name/", {"name": "Antwerp", "ext_shop_id": "antwerp"})
        answer = colleague.post(f"/connect/{begun.pk}/check/")
    assert answer.url == f"/connect/{begun.pk}/import/"
    assert Connection.objects.get().state == Connection.State.ACTIVE
    assert platform.held() == {"Great Hats Antwerp": "antwerp"}
