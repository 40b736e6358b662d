"""The answer to the question: one press of one button, by the person who was asked, about what they saw."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from apps.audit.models import Entry
from apps.integrations import consenting
from apps.integrations.models import Authorization, Grant, Integration
from tests.conftest import signed_in
from tests.factories import make_member, make_partner

from .flow import AUTHORIZE, Flow, action_of, heard, is_good, ticket_of


def test_declining_tells_the_application_and_gives_nothing(flow, owner):
    told = heard(flow.answer(flow.ask(), decision="deny", reach=None))
    assert (told["error"], told["state"], "code" in told) == ("access_denied", flow.state, False)
    assert not Authorization.objects.exists()
    assert Entry.objects.get(action="app.decline").actor == owner.email


# ---- AS-07: a challenge is for one transaction


def test_a_challenge_that_had_a_code_is_refused_and_written_down(flow):
    """AS-07."""
    flow.code()
    assert heard(flow.ask())["error"] == "invalid_request"
    entry = Entry.objects.get(action="app.consent", outcome="refused")
    assert entry.reason == "code_challenge used twice"


def test_a_challenge_that_had_a_code_is_refused_at_the_answer_too(flow):
    """AS-07: two pages open at once."""
    first, second = flow.ask(), flow.ask()
    assert "code" in heard(flow.answer(first))
    assert heard(flow.answer(second))["error"] == "invalid_request"
    assert Authorization.objects.count() == 1
    assert Entry.objects.filter(action="app.consent", outcome="refused").count() == 1


def test_looking_at_the_page_twice_uses_nothing_up(flow):
    flow.ask()
    assert "code" in heard(flow.answer(flow.ask()))


def test_another_application_may_come_with_the_same_challenge(flow, owner_client):
    flow.code()
    other = Flow(make_partner().application, owner_client, verifier=flow.verifier)
    assert "code" in heard(other.answer(other.ask()))


def test_a_challenge_is_forgotten_after_ten_minutes(flow):
    flow.code()
    with time_machine.travel(timezone.now() + timedelta(minutes=11), tick=False):
        assert flow.ask().status_code == 200


def test_a_double_click_gives_one_consent_and_a_code_that_works(flow):
    """The browser follows the second answer only: its code has to work, and the consent is the same one."""
    page = flow.ask()
    first, second = heard(flow.answer(page))["code"], heard(flow.answer(page))["code"]
    assert Authorization.objects.count() == Grant.objects.count() == 1
    tokens = flow.redeem(second).json()
    assert is_good(tokens["access_token"])
    assert flow.redeem(first).json() == {"error": "invalid_grant"}
    assert is_good(tokens["access_token"])


def test_the_answer_cannot_be_sent_again_once_the_code_is_used(flow):
    page = flow.ask()
    tokens = flow.redeem(heard(flow.answer(page))["code"]).json()
    assert heard(flow.answer(page))["error"] == "invalid_request"
    assert is_good(tokens["access_token"])


def test_the_button_rests_after_the_first_press(flow):
    assert "crossdock.js" in flow.ask().text


# ---- AS-11: what was shown is what is granted


@pytest.mark.parametrize(
    "swapped",
    [
        {"scope": "orders:read organization.read products:write"},
        {"scope": "orders:read"},
        {"state": "another"},
        {"code_challenge": "y" * 43},
    ],
)
def test_an_answer_to_another_question_grants_nothing(flow, swapped):
    """AS-11: the address is swapped after the page was shown."""
    ticket = ticket_of(flow.ask())
    other = flow.ask(**swapped)
    answer = flow.owner.post(action_of(other), {"ticket": ticket, "decision": "allow", "reach": "all"})
    assert (answer.status_code, "Location" in answer.headers) == (400, False)
    assert not Authorization.objects.exists()


def test_an_answer_for_another_application_grants_nothing(flow, owner_client):
    """AS-11."""
    other = Flow(make_partner().application, owner_client, verifier=flow.verifier)
    answer = other.answer(other.ask(), ticket=ticket_of(flow.ask()))
    assert answer.status_code == 400
    assert not Authorization.objects.exists()


@pytest.mark.parametrize("name", ["client_id", "scope", "redirect_uri", "state", "response_type", "code_challenge"])
def test_a_field_put_into_the_form_grants_nothing(flow, name):
    """AS-11."""
    answer = flow.answer(flow.ask(), **{name: flow.query()[name]})
    assert answer.status_code == 400
    assert not Authorization.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"ticket": None},
        {"ticket": ""},
        {"ticket": "made-up"},
        {"ticket": "a\x00b"},
        {"decision": None},
        {"decision": "perhaps"},
        {"reach": "everything"},
    ],
)
def test_an_answer_that_our_page_does_not_send_grants_nothing(flow, changes):
    """AS-11."""
    assert flow.answer(flow.ask(), **changes).status_code == 400
    assert not Authorization.objects.exists()


def test_a_colleagues_page_cannot_be_answered(flow, owner):
    """AS-11."""
    page = flow.ask()
    flow.owner = signed_in(make_member(organization=owner.organization, role="admin"))
    assert flow.answer(page).status_code == 400
    assert not Authorization.objects.exists()


def test_a_page_cannot_be_answered_after_an_hour(flow):
    page = flow.ask()
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert flow.answer(page).status_code == 400


def test_an_answer_without_the_csrf_token_grants_nothing(flow):
    """AS-11."""
    page = flow.ask()
    flow.owner.handler.enforce_csrf_checks = True
    assert flow.answer(page).status_code == 403
    assert not Authorization.objects.exists()


def test_an_answer_of_nobody_leads_to_the_login_page(flow):
    page = flow.ask()
    answer = Client().post(action_of(page), {"ticket": ticket_of(page), "decision": "allow", "reach": "all"})
    assert answer.headers["Location"].startswith("/accounts/login/")


# ---- AS-12


def test_no_page_of_ours_can_be_framed_and_the_form_may_lead_to_the_callback(flow, owner_client):
    """AS-12. Chromium checks where a form's answer redirects to against form-action."""
    pages = {"consent": flow.ask(), "unknown": flow.ask(client_id="nobody"), "apps": owner_client.get("/apps/")}
    for page in pages.values():
        assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
        assert page["X-Frame-Options"] == "DENY"
    actions = {name: "https://partner.example" in page["Content-Security-Policy"] for name, page in pages.items()}
    assert actions == {"consent": True, "unknown": False, "apps": False}


# ---- An integration that is switched off


def test_consent_does_not_switch_an_integration_on_again(flow):
    flow.code()
    Integration.objects.update(state="disabled", state_reason="")
    flow.verifier = "another" * 10
    page = flow.answer(flow.ask())
    assert (page.status_code, "switched off" in page.text) == (403, True)
    assert Authorization.objects.count() == 1


def test_consent_brings_back_what_its_owner_disconnected(flow, owner):
    flow.code()
    made = Integration.objects.get(partner=flow.application.connector)
    consenting.withdraw(made, actor=consenting.Actor("somebody"))
    flow.verifier, flow.scope = "another" * 10, "products:read"
    assert is_good(flow.tokens()["access_token"])
    made.refresh_from_db()
    assert (made.state, made.grants, made.state_reason) == ("connected", ["products:read"], "")


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_do_nothing(flow, method):
    assert getattr(flow.owner, method)(AUTHORIZE).status_code == 405
