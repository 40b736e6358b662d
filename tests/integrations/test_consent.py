import base64
import hashlib
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
import requests
import responses
from django.utils import timezone

from apps.accounts.models import Membership, Role, User
from apps.integrations.connectors import get_connector
from apps.integrations.connectors.vendure import client as graphql
from apps.integrations.consent import ConsentProblem, begin, finish, sign_in_with_keys
from apps.integrations.models import AuthorizationAttempt, Credential, Integration
from tests.concurrency import at_once
from tests.conftest import OTTER
from tests.factories import make_integration, make_membership, make_organization

from .connectors.otter import ORGANIZATION, TOKEN, recorded
from .connectors.vendure.conftest import Vendure
from .connectors.vendure.conftest import recorded as recorded_by_vendure

CALLBACK = "http://testserver/connect/callback/"
ACCOUNT = recorded("organization")["id"]


def leave(user: User, *, browser: str = "a-browser", **options: object) -> dict[str, str]:
    """Off to the platform. Returns the query of the address the owner is sent to."""
    given = {"subject": uuid4(), "redirect_uri": CALLBACK} | options
    address = begin(get_connector("otter"), user=user, organization=user.organization, browser=browser, **given)
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query, strict_parsing=True).items()}


def come_back(user: User, answer: dict[str, str], *, browser: str = "a-browser", redirect_uri: str = CALLBACK):
    return finish(answer, user=user, browser=browser, redirect_uri=redirect_uri)


def problem_of(user: User, answer: dict[str, str], **options: str) -> ConsentProblem:
    with pytest.raises(ConsentProblem) as raised:
        come_back(user, answer, **options)
    return raised.value


def nothing_is_stored() -> bool:
    return not Integration.objects.exists() and not Credential.objects.exists()


@pytest.fixture
def platform(otter) -> responses.RequestsMock:
    """Otter exchanges any code for a token of Great Hats."""
    otter.post(OTTER + TOKEN, json=recorded("token"))
    otter.get(OTTER + ORGANIZATION, json=recorded("organization"))
    return otter


def exchanges(web: responses.RequestsMock) -> list[dict[str, str]]:
    sent = [call.request.body for call in web.calls if call.request.method == "POST"]
    return [{name: values[0] for name, values in parse_qs(body).items()} for body in sent]


# ---- Off to the platform


def test_the_owner_is_sent_to_the_platforms_login_page(otter, owner):
    address = begin(
        get_connector("otter"),
        user=owner,
        organization=owner.organization,
        subject=uuid4(),
        browser="a-browser",
        redirect_uri=CALLBACK,
    )
    parts = urlsplit(address)
    query = parse_qs(parts.query)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{OTTER}/v1/auth/oauth2/authorize"
    assert {name: values for name, values in query.items() if name not in {"state", "code_challenge"}} == {
        "response_type": ["code"],
        "client_id": ["crossdock"],
        "redirect_uri": [CALLBACK],
        "scope": ["organization.read organization.service_integration"],
        "code_challenge_method": ["S256"],
    }


def test_what_only_we_may_know_is_kept_hashed_or_sealed(otter, owner):
    query = leave(owner, browser="a-browser")
    attempt = AuthorizationAttempt.objects.get()
    row = " ".join(str(value) for value in AuthorizationAttempt.objects.values_list().get())
    assert query["state"] not in row
    assert "a-browser" not in row
    assert attempt.secrets["verifier"] not in row


def test_every_trip_has_a_state_and_a_verifier_of_its_own(otter, owner):
    queries = [leave(owner) for _ in range(3)]
    assert len({query["state"] for query in queries}) == 3
    assert len({query["code_challenge"] for query in queries}) == 3
    assert min(len(query["state"]) for query in queries) >= 43


# ---- Back with permission


def test_the_permission_is_kept_for_the_account_it_is_for(platform, owner):
    attempt, integration = come_back(owner, {"state": leave(owner)["state"], "code": "a-code"})
    assert (integration.organization, integration.connector) == (owner.organization, "otter")
    assert (integration.account_ref, integration.account_name, integration.name) == (
        ACCOUNT,
        "Great Hats",
        "Otter: Great Hats",
    )
    assert (integration.state, integration.created_by) == (Integration.State.CONNECTED, owner)
    assert integration.credential.secrets["access_token"] == "an-owners-token"
    assert integration.credential.organization == owner.organization
    assert integration.credential.expires_at > timezone.now() + timedelta(days=29)
    assert attempt.outcome == "connected"


def test_the_code_is_exchanged_with_exactly_what_the_trip_began_with(platform, owner):
    query = leave(owner)
    come_back(owner, {"state": query["state"], "code": "a code+/="})
    [sent] = exchanges(platform)
    verifier = sent.pop("code_verifier")
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    assert challenge == query["code_challenge"]
    assert sent == {
        "grant_type": "authorization_code",
        "code": "a code+/=",
        "redirect_uri": CALLBACK,
        "client_id": "crossdock",
        "client_secret": "a-client-secret",
        "scope": "organization.read organization.service_integration",
    }


def test_whose_account_it_is_is_asked_with_the_new_token(platform, owner):
    come_back(owner, {"state": leave(owner)["state"], "code": "a-code"})
    assert platform.calls[1].request.headers["Authorization"] == "Bearer an-owners-token"


def test_several_trips_can_be_under_way_at_once(platform, owner):
    states = [leave(owner, browser=browser)["state"] for browser in ("laptop", "phone", "laptop")]
    for state, browser in reversed([*zip(states, ("laptop", "phone", "laptop"), strict=True)]):
        come_back(owner, {"state": state, "code": "a-code"}, browser=browser)
    assert [attempt.outcome for attempt in AuthorizationAttempt.objects.all()] == ["connected"] * 3
    assert Integration.objects.count() == 1


# ---- The state


def test_a_state_works_once(platform, owner):
    answer = {"state": leave(owner)["state"], "code": "a-code"}
    attempt, _ = come_back(owner, answer)
    again = problem_of(owner, answer)
    assert (again.code, again.attempt) == ("used", attempt)
    assert len(exchanges(platform)) == 1


@pytest.mark.django_db(transaction=True)
def test_a_state_works_once_even_for_many_at_once(platform, owner):
    answer = {"state": leave(owner)["state"], "code": "a-code"}
    results = at_once(8, lambda: come_back(owner, answer))
    codes = sorted(getattr(result, "code", "connected") for result in results)
    assert codes == ["connected", *["used"] * 7]
    assert len(exchanges(platform)) == 1


def test_a_failed_trip_cannot_be_tried_again(platform, owner):
    state = leave(owner)["state"]
    assert problem_of(owner, {"state": state, "error": "access_denied"}).code == "denied"
    assert problem_of(owner, {"state": state, "code": "a-code"}).code == "used"
    assert (exchanges(platform), nothing_is_stored()) == ([], True)


@pytest.mark.parametrize("answer", [{}, {"state": ""}, {"state": "x"}, {"state": "é\ufffd"}, {"state": "x" * 10_000}])
def test_a_state_we_never_made_is_unknown(platform, owner, answer):
    leave(owner)
    problem = problem_of(owner, answer | {"code": "a-code"})
    assert (problem.code, problem.attempt) == ("unknown", None)
    assert (exchanges(platform), nothing_is_stored()) == ([], True)


def test_a_state_expires(platform, owner):
    state = leave(owner)["state"]
    AuthorizationAttempt.objects.update(expires_at=timezone.now())
    problem = problem_of(owner, {"state": state, "code": "a-code"})
    assert (problem.code, problem.attempt) == ("expired", AuthorizationAttempt.objects.get())
    assert (exchanges(platform), nothing_is_stored()) == ([], True)


@pytest.mark.parametrize("other", ["", "another-browser"])
def test_a_state_works_in_the_browser_it_began_in_only(platform, owner, other):
    state = leave(owner)["state"]
    assert problem_of(owner, {"state": state, "code": "a-code"}, browser=other).code == "other_browser"
    assert (exchanges(platform), nothing_is_stored()) == ([], True)
    come_back(owner, {"state": state, "code": "a-code"})


def test_a_trip_that_one_person_began_cannot_be_ended_by_another(platform, owner, stranger):
    state = leave(owner)["state"]
    assert problem_of(stranger, {"state": state, "code": "a-code"}).code == "other_user"
    assert (exchanges(platform), nothing_is_stored()) == ([], True)


def test_a_trip_does_not_follow_a_person_into_another_organization(platform, owner):
    state = leave(owner)["state"]
    Membership.objects.filter(user=owner).delete()
    make_membership(user=owner, organization=make_organization(), role=Role.OWNER)
    moved = User.objects.get(pk=owner.pk)
    assert problem_of(moved, {"state": state, "code": "a-code"}).code == "other_user"
    assert (exchanges(platform), nothing_is_stored()) == ([], True)


def test_a_trip_whose_key_was_dropped_has_expired(platform, owner, settings):
    state = leave(owner)["state"]
    settings.CREDENTIAL_KEYS = ["other:" + "A" * 43 + "="]
    assert problem_of(owner, {"state": state, "code": "a-code"}).code == "expired"
    assert exchanges(platform) == []


# ---- Who answered


@pytest.mark.parametrize("issuer", [OTTER, f"{OTTER}/"])
def test_an_answer_that_names_the_platform_is_taken(platform, owner, issuer):
    come_back(owner, {"state": leave(owner)["state"], "code": "a-code", "iss": issuer})
    assert Integration.objects.count() == 1


@pytest.mark.parametrize(
    "issuer", ["", "https://evil.example", f"{OTTER}.evil.example", "http://otter.example.com", f"{OTTER}/v1"]
)
@pytest.mark.parametrize("kind", [{"code": "a-code"}, {"error": "access_denied"}], ids=["code", "error"])
def test_an_answer_from_somebody_else_is_not_used(platform, owner, issuer, kind):
    assert problem_of(owner, {"state": leave(owner)["state"], "iss": issuer} | kind).code == "wrong_issuer"
    assert (exchanges(platform), nothing_is_stored()) == ([], True)


# ---- Back without permission


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


# ---- Again


def test_the_same_account_twice_in_an_organization_is_one_integration(platform, owner):
    [_, first] = come_back(owner, {"state": leave(owner)["state"], "code": "a-code"})
    [_, second] = come_back(owner, {"state": leave(owner)["state"], "code": "a-code"})
    assert (first, Integration.objects.count(), Credential.objects.count()) == (second, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_the_same_account_twice_at_once_is_one_integration(platform, owner):
    states = [leave(owner)["state"] for _ in range(4)]
    results = at_once(4, lambda: come_back(owner, {"state": states.pop(), "code": "a-code"})[1].pk)
    assert results == [Integration.objects.get().pk] * 4


@pytest.mark.django_db(transaction=True)
def test_a_permission_that_was_forgotten_can_be_given_twice_at_once(platform, owner):
    forgotten = make_integration(organization=owner.organization, account_ref=ACCOUNT, secrets={})
    states = [leave(owner)["state"] for _ in range(4)]
    results = at_once(4, lambda: come_back(owner, {"state": states.pop(), "code": "a-code"})[1].pk)
    assert results == [forgotten.pk] * 4


def test_the_same_account_in_two_organizations_is_two_integrations(platform, owner, stranger):
    for user in (owner, stranger):
        come_back(user, {"state": leave(user)["state"], "code": "a-code"})
    owners = Integration.objects.values_list("organization", "credential__organization")
    assert set(owners) == {(user.organization.pk,) * 2 for user in (owner, stranger)}


def test_reconnecting_gives_the_same_integration_a_fresh_permission(platform, owner):
    lost = make_integration(
        organization=owner.organization,
        account_ref=ACCOUNT,
        state=Integration.State.NEEDS_RECONNECT,
        state_reason="401",
    )
    state = leave(owner, integration=lost)["state"]
    assert come_back(owner, {"state": state, "code": "a-code"})[1] == lost
    lost.refresh_from_db()
    assert (lost.state, lost.state_reason) == (Integration.State.CONNECTED, "")
    assert Credential.objects.get().secrets["access_token"] == "an-owners-token"


def test_reconnecting_with_another_account_changes_nothing(platform, owner):
    lost = make_integration(
        organization=owner.organization, account_ref="another", state=Integration.State.NEEDS_RECONNECT
    )
    state = leave(owner, integration=lost)["state"]
    problem = problem_of(owner, {"state": state, "code": "a-code"})
    assert (problem.code, problem.account) == ("other_account", "Great Hats")
    lost.refresh_from_db()
    assert (lost.state, lost.account_ref) == (Integration.State.NEEDS_RECONNECT, "another")
    assert Integration.objects.count() == 1
    assert Credential.objects.get().secrets == {"access_token": "token-of-the-owner"}


# ---- With keys


SHOP = "https://1.1.1.1"  # a literal address, so that no name has to be looked up


@pytest.fixture
def vendure(otter) -> Vendure:
    answers = {
        graphql.SERVER: recorded_by_vendure("server"),
        graphql.CHANNELS: recorded_by_vendure("channels"),
        graphql.VARIANTS: recorded_by_vendure("variants"),
    }
    vendure = Vendure(answers=answers)
    otter.add_callback(responses.POST, f"{SHOP}/admin-api", vendure)
    return vendure


def sign_in(user: User, **answers: str) -> Integration:
    return sign_in_with_keys(
        get_connector("vendure"),
        {"address": SHOP, "api_key": "a-key"} | answers,
        organization=user.organization,
        user=user,
    )


def test_a_good_key_is_kept_with_the_address_it_is_for(vendure, owner):
    integration = sign_in(owner, address=f"{SHOP}/")
    assert (integration.state, integration.address) == (Integration.State.CONNECTED, SHOP)
    assert integration.credential.secrets == {"api_key": "a-key"}


def test_the_same_key_twice_is_one_integration(vendure, owner):
    assert sign_in(owner) == sign_in(owner)
    assert Credential.objects.count() == 1


@pytest.mark.parametrize(
    "address",
    ["http://1.1.1.1", "https://127.0.0.1", "https://10.0.0.1", "https://me@1.1.1.1", "ftp://1.1.1.1", "shop"],
)
def test_an_address_that_may_not_be_called_is_refused_before_any_call(vendure, owner, address):
    with pytest.raises(ConsentProblem) as refused:
        sign_in(owner, address=address)
    assert (refused.value.code, vendure.asked, nothing_is_stored()) == ("address_refused", [], True)


def test_a_wrong_key_stores_nothing(vendure, owner):
    vendure.answers[graphql.SERVER] = recorded_by_vendure("forbidden")
    with pytest.raises(ConsentProblem) as refused:
        sign_in(owner)
    assert (refused.value.code, nothing_is_stored()) == ("unauthorized", True)


def test_keys_of_another_account_change_nothing_at_reconnect(vendure, owner):
    lost = make_integration(
        organization=owner.organization,
        connector="vendure",
        account_ref="another",
        state=Integration.State.NEEDS_RECONNECT,
    )
    with pytest.raises(ConsentProblem) as refused:
        sign_in_with_keys(
            get_connector("vendure"),
            {"address": SHOP, "api_key": "a-key"},
            organization=owner.organization,
            user=owner,
            integration=lost,
        )
    assert refused.value.code == "other_account"
    assert Credential.objects.get().secrets == {"access_token": "token-of-the-owner"}
    lost.refresh_from_db()
    assert lost.state == Integration.State.NEEDS_RECONNECT
