"""Many at once: one wins, the others are told no, and nothing breaks."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connections, transaction

from apps.audit.models import Entry
from apps.integrations.models import AccessToken, Authorization, Grant, RefreshToken
from apps.integrations.oauth.issuing import give_code
from tests.concurrency import wait_until_blocked
from tests.conftest import signed_in
from tests.factories import CALLBACK_URL, make_authorization, make_partner_integration

from .flow import Flow, challenge_of, heard, is_good

ROUNDS, THREADS = 50, 8

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def crowd() -> Iterator[Callable[[Callable[[], Any]], list[Any]]]:
    """Calls a function in eight threads at once, and returns the answers. The threads keep their connections."""
    start = Barrier(THREADS)

    def wait_and(work: Callable[[], Any]) -> Any:
        start.wait(timeout=20)
        return work()

    def close() -> None:
        start.wait(timeout=20)
        connections.close_all()

    with ThreadPoolExecutor(THREADS) as pool:
        yield lambda work: [pool.submit(wait_and, work) for _ in range(THREADS)]
        for done in [pool.submit(close) for _ in range(THREADS)]:
            done.result()


@pytest.fixture
def flow() -> Flow:
    made = make_authorization(integration=make_partner_integration())
    return Flow(made.application, signed_in(made.user), scope=made.scope)


def new_code(flow: Flow) -> str:
    """As consent gives it out, without the pages."""
    known = Authorization.objects.order_by("created_at").first()
    consent = make_authorization(integration=known.integration, user=known.user)
    fields = {"application": consent.application, "user": consent.user, "redirect_uri": CALLBACK_URL}
    fields |= {"scope": consent.scope, "code_challenge": challenge_of(flow.verifier)}
    return give_code(Grant(authorization=consent, **fields))


def winner(calls: list[Any]) -> dict[str, str]:
    """What the one got; the others got invalid_grant."""
    answers = [call.result() for call in calls]
    found = Counter((answer.status_code, answer.json().get("error", "")) for answer in answers)
    assert found == {(200, ""): 1, (400, "invalid_grant"): THREADS - 1}
    return next(answer.json() for answer in answers if answer.status_code == 200)


def tokens_of(body: dict[str, str]) -> tuple[int, int]:
    """How many access and refresh tokens that could be used the consent of this answer has."""
    consent = Authorization.objects.order_by("created_at").last()
    assert body["scope"] == consent.scope
    return consent.access_tokens.count(), consent.refresh_tokens.filter(revoked=None).count()


def test_one_of_eight_redemptions_wins(flow, crowd):
    """AS-02: 50 rounds."""
    for _ in range(ROUNDS):
        code = new_code(flow)
        body = winner(crowd(lambda code=code: flow.redeem(code)))
        assert tokens_of(body) == (1, 1)


def test_one_of_eight_refreshes_wins(flow, crowd):
    """AS-09: 50 rounds."""
    for _ in range(ROUNDS):
        token = flow.redeem(new_code(flow)).json()["refresh_token"]
        body = winner(crowd(lambda token=token: flow.refresh(token)))
        assert tokens_of(body) == (1, 1)


def test_the_winner_of_a_race_keeps_what_it_got(flow, crowd):
    """AS-02: all eight are past the point where they have seen the code unspent when the first may go on."""
    for _ in range(5):
        code = new_code(flow)
        with transaction.atomic():
            Grant.objects.select_for_update().latest("pk")
            calls = crowd(lambda code=code: flow.redeem(code))
            wait_until_blocked(THREADS)
        assert is_good(winner(calls)["access_token"])
    assert not Entry.objects.filter(action="token.replay").exists()


def test_the_winner_of_a_race_of_refreshes_keeps_what_it_got(flow, crowd):
    """AS-09. A loser that tries again replays, and that ends the family."""
    token = flow.redeem(new_code(flow)).json()["refresh_token"]
    with transaction.atomic():
        RefreshToken.objects.select_for_update().latest("pk")
        calls = crowd(lambda: flow.refresh(token))
        wait_until_blocked(THREADS)
    won = winner(calls)
    assert is_good(won["access_token"])
    assert flow.refresh(token).status_code == 400
    assert not is_good(won["access_token"])


def test_a_double_click_in_two_threads_gives_one_consent(flow, crowd):
    page = flow.ask(code_challenge="y" * 43)
    answers = [call.result() for call in crowd(lambda: Flow.answer(flow, page))]
    assert all("code" in heard(answer) for answer in answers)
    assert Grant.objects.filter(code_challenge="y" * 43).count() == 1


def test_a_code_is_not_redeemed_after_its_consent_was_withdrawn_meanwhile(flow, crowd):
    code = new_code(flow)
    with transaction.atomic():
        consent = Authorization.objects.select_for_update().latest("created_at")
        calls = crowd(lambda: flow.redeem(code))
        wait_until_blocked(THREADS)
        Authorization.objects.filter(pk=consent.pk).revoke("withdrawn")
    assert {call.result().status_code for call in calls} == {400}
    assert not AccessToken.objects.exists()
