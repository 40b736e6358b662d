import os

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright keeps an event loop in the test's thread

from collections.abc import Iterator

import pytest
import responses
from django.test import Client
from django.utils import translation

from apps.accounts.models import User

from .factories import make_member, make_organization

OTTER = "https://otter.example.com"


@pytest.fixture(autouse=True)
def _english_and_quick(settings) -> Iterator[None]:
    """Texts in English, whatever a test before switched to, and passwords hashed without the deliberate slowness."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with translation.override("en"):
        yield


@pytest.fixture
def owner(db) -> User:
    """The owner of an organization."""
    return make_member(email="owner@example.com", organization=make_organization(name="Great Hats"))


@pytest.fixture
def stranger(db) -> User:
    """The owner of another organization."""
    return make_member(email="stranger@example.com", organization=make_organization(name="Great Shoes"))


@pytest.fixture
def owner_client(owner) -> Client:
    """The owner's browser. `client` is one that nobody has signed in with."""
    return signed_in(owner)


@pytest.fixture
def stranger_client(stranger) -> Client:
    return signed_in(stranger)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def otter(settings) -> Iterator[responses.RequestsMock]:
    """Otter is offered, at OTTER; its answers are what the test registers. Any other call finds nobody there."""
    known = {"URL": OTTER, "CLIENT_ID": "crossdock", "CLIENT_SECRET": "a-client-secret"}
    settings.CONNECTOR_ENVIRONMENT = settings.CONNECTOR_ENVIRONMENT | {"otter": known}
    with responses.RequestsMock(assert_all_requests_are_fired=False) as web:
        yield web
