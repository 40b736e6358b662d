import base64

import pytest
from django.test import Client

from tests.factories import CLIENT_SECRET, make_key

from . import sample


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def basic(client_id: str, secret: str = CLIENT_SECRET) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


@pytest.fixture
def sampled(monkeypatch, settings) -> None:
    """The addresses of `sample`."""
    sample.install(monkeypatch, settings)


@pytest.fixture
def key(db) -> str:
    """An integration key that may do everything."""
    return make_key()


@pytest.fixture
def calls(key, sampled) -> Client:
    """A program that calls the sample addresses with that key; an error of ours is an answer to it."""
    return Client(headers=bearer(key), raise_request_exception=False)
