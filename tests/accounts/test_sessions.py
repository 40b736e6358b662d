"""Sessions end on the server: after a while without anybody, after a day's work, and at once when asked to (AD-07)."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ..conftest import signed_in
from ..factories import PASSWORD, make_user

START = "2026-11-21 08:00:00Z"
LIST = "/admin/accounts/organization/"
PART = {"HX-Request": "true", "HX-Current-URL": "http://testserver/admin/?range=30"}


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as travelling:
        yield travelling


@pytest.fixture
def desk(clock, staff, settings) -> Client:
    settings.DEMO = True
    return signed_in(staff)


def is_in(client: Client) -> bool:
    return client.get(LIST).status_code == 200


def test_staff_who_were_away_for_half_an_hour_sign_in_again_and_go_on_where_they_were(desk, clock):
    assert is_in(desk)
    clock.shift(timedelta(minutes=31))
    answer = desk.get(f"{LIST}?q=hats", follow=True)
    where = urlsplit(answer.redirect_chain[-1][0])
    assert (where.path, parse_qs(where.query)["next"]) == ("/accounts/login/", [f"{LIST}?q=hats"])
    assert "nothing happened here for a while" in answer.text


def test_whoever_works_on_stays_until_twelve_hours_are_over(desk, clock):
    stayed = []
    for _turn in range(25):
        clock.shift(timedelta(minutes=29))
        stayed.append(is_in(desk))
    assert stayed == [True] * 24 + [False]
    assert "signed in for long" in desk.get("/accounts/login/").text


@pytest.mark.parametrize(("query", "header"), [("?poll=1", {}), ("?seen=x", {}), ("", {"X-Crossdock-Poll": "1"})])
def test_a_page_that_asks_for_news_by_itself_keeps_nobody_signed_in(query, header, desk, clock):
    for _turn in range(6):
        clock.shift(timedelta(minutes=5))
        assert desk.get(f"{LIST}add/{query}", headers=PART | header).status_code == 200
    clock.shift(timedelta(minutes=1))
    answer = desk.get(f"{LIST}add/{query}", headers=PART | header)
    assert answer.headers["HX-Redirect"] == "/accounts/login/?next=/admin/%3Frange%3D30"


def test_an_owner_may_be_away_for_longer(clock, owner_client):
    clock.shift(timedelta(hours=11))
    assert owner_client.get("/team/").status_code == 200
    clock.shift(timedelta(hours=13))
    assert owner_client.get("/team/").headers["Location"].startswith("/accounts/login/")


def test_the_limits_are_the_operators_to_set(desk, clock, settings):
    settings.SESSION_IDLE_SECONDS = 60
    clock.shift(timedelta(seconds=61))
    assert not is_in(desk)


def test_what_is_clicked_within_a_minute_writes_nothing(desk, clock):
    assert is_in(desk)
    with CaptureQueriesContext(connection) as queries:
        assert is_in(desk)
    assert [query["sql"] for query in queries if "UPDATE" in query["sql"]] == []
    clock.shift(timedelta(seconds=61))
    with CaptureQueriesContext(connection) as queries:
        assert is_in(desk)
    assert [query["sql"].split()[1] for query in queries if "UPDATE" in query["sql"][:7]] == ['"django_session"']


def test_signing_in_again_begins_anew(desk, clock, staff):
    clock.shift(timedelta(hours=11, minutes=50))
    desk.force_login(staff)
    clock.shift(timedelta(minutes=20))
    assert is_in(desk)


def test_after_signing_out_the_cookie_opens_nothing(desk):
    kept = desk.cookies["crossdock_session"].value
    desk.post("/accounts/logout/")
    thief = Client()
    thief.cookies["crossdock_session"] = kept
    assert (is_in(thief), Session.objects.filter(session_key=kept).exists()) == (False, False)


def test_an_ended_session_leaves_nothing_behind(desk, clock):
    kept = desk.cookies["crossdock_session"].value
    clock.shift(timedelta(hours=1))
    desk.get(LIST)
    assert not Session.objects.filter(session_key=kept).exists()


def test_calls_of_the_api_are_answered_as_ever(desk, clock):
    clock.shift(timedelta(hours=1))
    assert desk.get("/api/v1/shops").status_code == 401


def test_cookies_are_for_our_own_pages_alone(client, db, settings):
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = settings.LANGUAGE_COOKIE_SECURE = True
    person = make_user()
    answers = [client.get("/accounts/login/"), client.post("/language/setlang/", {"language": "nl"})]
    answers.append(client.post("/accounts/login/", {"login": person.email, "password": PASSWORD}))
    cookies = {name: cookie for answer in answers for name, cookie in answer.cookies.items()}
    kept = {name: (found["secure"], found["httponly"], found["samesite"]) for name, found in cookies.items()}
    names = ("crossdock_csrf", "crossdock_language", "crossdock_session")
    assert kept == dict.fromkeys(names, (True, True, "Lax"))
