from datetime import UTC, datetime

import pytest
import requests
import time_machine

from apps.integrations.connectors import get_connector
from apps.integrations.connectors.base import Rejected, Unreachable
from apps.integrations.models import Credential
from apps.integrations.sessions import store_token, token_request
from tests.conftest import OTTER
from tests.factories import (
    make_integration,
)

from ..connectors.otter import TOKEN, recorded
from .platform import kept


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
