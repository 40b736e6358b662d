"""The whole way of a call, by the smallest of them."""

import base64

from django.test import Client

from tests.factories import CLIENT_SECRET, make_access_token, make_key, make_partner


def basic(client_id: str, secret: str = CLIENT_SECRET) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def test_an_application_pings_with_its_client_credentials(client: Client, db, django_assert_num_queries):
    partner = make_partner()
    with django_assert_num_queries(2):
        answer = client.get("/api/v1/ping", headers=basic(partner.application.client_id))
    assert (answer.status_code, answer.json()["response"]) == (200, "pong")
    assert answer.headers["RateLimit-Remaining"] == "199"


def test_nobody_is_refused(client: Client, db):
    answer = client.get("/api/v1/ping")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_an_organizations_token_is_not_for_that(client: Client, db, django_assert_num_queries):
    token, key = make_access_token(), make_key()
    for credential in ({"Authorization": f"Bearer {token}"}, {"X-Api-Key": key}):
        answer = client.get("/api/v1/ping", headers=credential)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
