import pytest
import requests

from apps.integrations.models import AuthorizationAttempt, Integration
from tests.conftest import OTTER
from tests.factories import make_integration

from ..connectors.otter import ORGANIZATION, TOKEN, recorded
from .trips import ACCOUNT, come_back, exchanges, leave, nothing_is_stored, problem_of


@pytest.mark.parametrize(
    ("answer", "code", "detail"),
    [
        ({"error": "access_denied"}, "denied", "access_denied"),
        ({"error": "access_denied", "error_description": "No, thanks"}, "denied", "No, thanks"),
        ({"error": "access_denied", "error_description": "<script>x</script>"}, "denied", "<script>x</script>"),
        ({"error": "invalid_scope", "error_description": "Ask less"}, "refused", "Ask less"),
        ({"error": "server_error"}, "refused", "server_error"),
        ({"error": "x" * 9_000}, "refused", "x" * 9_000),
        ({"error": "access_denied", "code": "a-code"}, "denied", "access_denied"),
        ({"code": ""}, "refused", "The answer has no code."),
        ({}, "refused", "The answer has no code."),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_refusal_keeps_the_platforms_reason_and_asks_for_no_token(platform, owner, answer, code, detail):
    problem = problem_of(owner, {"state": leave(owner)["state"]} | answer)
    attempt = AuthorizationAttempt.objects.get()
    assert (problem.code, problem.detail, problem.attempt) == (code, detail, attempt)
    assert (attempt.outcome, attempt.detail) == (code, detail[:2_000])
    assert (exchanges(platform), nothing_is_stored()) == ([], True)


@pytest.mark.parametrize(
    ("scope", "missing"),
    [
        ("organization.read", "organization.service_integration"),
        ("organization.service_integration", "organization.read"),
        ("catalog", "organization.read, organization.service_integration"),
    ],
)
def test_fewer_permissions_than_we_need_are_refused_by_name(otter, owner, scope, missing):
    otter.post(OTTER + TOKEN, json=recorded("token") | {"scope": scope})
    problem = problem_of(owner, {"state": leave(owner)["state"], "code": "a-code"})
    assert (problem.code, problem.detail, nothing_is_stored()) == ("fewer_scopes", missing, True)


@pytest.mark.parametrize("scope", [None, "", "organization.service_integration catalog organization.read"])
def test_permissions_that_are_not_listed_or_more_than_asked_are_fine(otter, owner, scope):
    otter.post(OTTER + TOKEN, json=recorded("token") | {"scope": scope})
    otter.get(OTTER + ORGANIZATION, json=recorded("organization"))
    come_back(owner, {"state": leave(owner)["state"], "code": "a-code"})
    assert Integration.objects.count() == 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"status": 500, "body": "oops"}, "unreachable"),
        ({"status": 200, "body": "<html>Welcome</html>"}, "garbled"),
        ({"status": 200, "json": {}}, "garbled"),
        ({"status": 200, "json": {"token_type": "bearer"}}, "garbled"),
        ({"status": 200, "json": {"error": "invalid_grant"}}, "invalid_grant"),
        ({"status": 400, "json": {"error": "invalid_grant"}}, "invalid_grant"),
        ({"status": 401, "json": {"error": "invalid_client"}}, "invalid_client"),
        ({"status": 400, "json": {"error": "x" * 300}}, "token_refused"),
        ({"status": 302, "headers": {"Location": "https://evil.example"}}, "garbled"),
        ({"body": requests.ReadTimeout("slow")}, "unreachable"),
        ({"body": requests.ConnectionError("reset")}, "unreachable"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_an_exchange_that_fails_stores_nothing_and_is_not_repeated(otter, owner, answer, code):
    otter.post(OTTER + TOKEN, **answer)
    problem = problem_of(owner, {"state": leave(owner)["state"], "code": "a-code"})
    assert (problem.code, len(exchanges(otter)), nothing_is_stored()) == (code, 1, True)
    assert AuthorizationAttempt.objects.get().outcome == code


def test_a_fresh_token_that_is_refused_once_gets_a_second_try(otter, owner):
    otter.post(OTTER + TOKEN, json=recorded("token"))
    otter.get(OTTER + ORGANIZATION, status=401, json=recorded("unauthorized"))
    otter.get(OTTER + ORGANIZATION, json=recorded("organization"))
    _, integration = come_back(owner, {"state": leave(owner)["state"], "code": "a-code"})
    assert (integration.account_ref, integration.is_connected) == (ACCOUNT, True)
    assert len(exchanges(otter)) == 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"status": 500}, "server_error"),
        ({"status": 401}, "unauthorized"),
        ({"status": 403}, "forbidden"),
        ({"status": 429}, "rate_limited"),
        ({"json": {}}, "garbled"),
        ({"json": {"id": "x" * 256, "name": "Great Hats"}}, "garbled"),
        ({"json": {"id": "1", "name": "a\x00b"}}, "garbled"),
        ({"body": "<html>"}, "garbled"),
        ({"body": requests.ReadTimeout("slow")}, "timeout"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_an_account_that_does_not_tell_its_name_stores_nothing(otter, owner, answer, code):
    otter.post(OTTER + TOKEN, json=recorded("token"))
    otter.get(OTTER + ORGANIZATION, **answer)
    problem = problem_of(owner, {"state": leave(owner)["state"], "code": "a-code"})
    assert (problem.code, nothing_is_stored()) == (code, True)


def test_an_account_that_the_3pl_has_switched_off_is_not_switched_on_by_logging_in(platform, owner):
    integration = make_integration(organization=owner.organization, account_ref=ACCOUNT, state="disabled")
    problem = problem_of(owner, {"state": leave(owner)["state"], "code": "a-code"})
    assert (problem.code, problem.attempt.outcome) == ("disabled", "disabled")
    integration.refresh_from_db()
    assert integration.state == "disabled"
