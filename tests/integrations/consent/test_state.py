import pytest
from django.utils import timezone

from apps.accounts.models import Membership, Role, User
from apps.integrations.models import AuthorizationAttempt, Integration
from tests.concurrency import at_once
from tests.conftest import OTTER
from tests.factories import make_membership, make_organization

from .trips import come_back, exchanges, leave, nothing_is_stored, problem_of


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
