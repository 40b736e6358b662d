import json

import pytest
import responses

from apps.egress import OutboundSession
from apps.integrations.connectors.base import Connects, ListsOrganization, PullsProducts, Rejected, Unauthorized
from apps.integrations.connectors.vendure import client as graphql
from apps.integrations.connectors.vendure.connector import CONNECTOR, sign_in

from .conftest import ADDRESS, ENDPOINT, recorded

LOGIN = {"username": "superadmin", "password": " correct horse "}


def signing_in(answers):
    return sign_in(OutboundSession(), ADDRESS, {"address": ADDRESS, **answers})


def test_it_lists_an_organization_and_pulls_products_and_keeps_no_record_of_a_connection():
    capabilities = (ListsOrganization, PullsProducts, Connects)
    assert [CONNECTOR.can(capability) for capability in capabilities] == [True, True, False]


def test_a_key_is_tried_and_kept(vendure):
    assert signing_in({"api_key": " abc:def "}) == {"api_key": "abc:def"}
    assert {request.headers["vendure-api-key"] for request in vendure.asked} == {"abc:def"}


def test_a_login_is_turned_into_a_session_token_and_the_password_is_not_kept(vendure):
    assert signing_in(LOGIN) == {"session_token": "a-session-token"}
    login, *after_login = vendure.asked
    assert json.loads(login.body)["variables"] == LOGIN
    assert {request.headers["Authorization"] for request in after_login} == {"Bearer a-session-token"}
    assert not any(b"correct horse" in request.body for request in after_login)


def test_a_key_goes_before_a_login(vendure):
    assert signing_in({"api_key": "abc:def", **LOGIN}) == {"api_key": "abc:def"}


@pytest.mark.parametrize(
    "answers", [{}, {"username": "superadmin"}, {"password": "x"}, {"api_key": " ", "username": "a", "password": ""}]
)
def test_neither_a_key_nor_a_whole_login_is_refused_before_any_call(web, answers):
    with pytest.raises(Rejected) as refused:
        signing_in(answers)
    assert refused.value.code == "incomplete_answers"
    assert len(web.calls) == 0


def test_a_key_that_cannot_be_one_is_refused_before_any_call(web):
    with pytest.raises(Unauthorized):
        signing_in({"api_key": "“abc”"})
    assert len(web.calls) == 0


def test_a_wrong_password_is_refused(vendure):
    vendure.answers[graphql.LOG_IN] = recorded("login_refused")
    with pytest.raises(Unauthorized):
        signing_in(LOGIN)


def test_a_wrong_key_is_refused(vendure):
    vendure.answers[graphql.SERVER] = recorded("forbidden")
    with pytest.raises(Unauthorized) as refused:
        signing_in({"api_key": "abc:def"})
    assert refused.value.code == "unauthorized"


@pytest.mark.parametrize("document", [graphql.CHANNELS, graphql.VARIANTS], ids=["channels", "variants"])
def test_a_key_that_may_not_read_what_we_need_is_refused_at_once(vendure, document):
    vendure.answers[document] = recorded("forbidden")
    with pytest.raises(Unauthorized) as refused:
        signing_in({"api_key": "abc:def"})
    assert refused.value.code == "forbidden"


def test_a_shop_that_keeps_logins_in_cookies_only_is_refused(web):
    web.add(responses.POST, ENDPOINT, json=recorded("login"))
    with pytest.raises(Rejected) as refused:
        signing_in(LOGIN)
    assert refused.value.code == "no_session_token"
