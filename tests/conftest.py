import os

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright keeps an event loop in the test's thread

import json
import time
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import responses
from django.db import connections
from django.test import Client
from django.utils import translation
from playwright.sync_api import Playwright
from rest_framework.request import Request
from xdist.remote import Producer

from apps.accounts.models import User
from apps.api import description
from apps.api.routes import Operations

from .factories import make_member, make_organization, make_user
from .sharing import Sharing

OTTER = "https://otter.example.com"
PIO = "https://pio.example.com"
# How fast the machine is, and how busy, says nothing of what is tested.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")
MOST_WORKERS = 6  # more do not help: the drills alone take as long as all the rest then


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """With `-n auto` one more than there are processors: some tests mostly wait for other processes."""
    return min((os.cpu_count() or 1) + 1, MOST_WORKERS)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Sharing | None:
    """Who shares the tests out with `--dist loadfile`."""
    return Sharing(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(autouse=True)
def _english_and_quick(settings) -> Iterator[None]:
    """Texts in English, whatever a test before switched to, and passwords hashed without the deliberate slowness."""
    settings.WHITENOISE_AUTOREFRESH = True  # else every new Client looks at every static file first: 0.1 s
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", settings.PASSWORD_HASHERS[-1]]
    with translation.override("en"):
        yield


@pytest.fixture(scope="session")
def described() -> dict[str, set[tuple[int, str]]]:
    """What each operation says that it answers: a status, and the code of an error."""
    document = json.loads(description.document()[0])
    said = [operation for methods in document["paths"].values() for operation in methods.values()]
    return {operation["operationId"]: set(_answers(operation)) for operation in said}


def _answers(operation: dict[str, Any]) -> Iterator[tuple[int, str]]:
    for status, answer in operation["responses"].items():
        codes = answer["description"].split(" · ") if status >= "4" else [""]
        yield from ((int(status), code) for code in codes)


@pytest.fixture(autouse=True)
def _answers_as_described(described, monkeypatch) -> None:
    """Whatever a test calls: the API answers nothing that the description of the operation leaves out."""
    finalize = Operations.finalize_response

    def compared(self: Operations, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer = finalize(self, request, response, *args, **kwargs)
        method = "GET" if request.method == "HEAD" else request.method
        route = request.resolver_match.url_name if request.resolver_match else ""
        name = f"{route}-{method}".lower().replace("-", "_")
        said = answer.status_code, answer.problem.code if hasattr(answer, "problem") else ""
        assert name not in described or said in described[name], name
        return answer

    monkeypatch.setattr(Operations, "finalize_response", compared)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """The live server's threads give their connection back with each request, or the database could not be dropped."""
    connections.settings["default"]["CONN_MAX_AGE"] = 0
    connections.settings["default"]["OPTIONS"]["options"] += " -c crossdock.may_empty_the_trail=on"  # to clean up


@pytest.fixture(scope="session")
def playwright(playwright: Playwright) -> Iterator[Playwright]:
    """While its event loop runs, Django has a second connection in this thread. It has to go before the loop does."""
    yield playwright
    connections.close_all()


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


@pytest.fixture
def staff(db) -> User:
    """One of the 3PL's own people, who may do everything."""
    return make_user(email="admin@foo-3pl.example", is_staff=True, is_superuser=True)


@pytest.fixture
def staff_client(staff, settings) -> Client:
    """Their browser, in the admin of a demo: elsewhere it would take a second factor."""
    settings.DEMO = True
    return signed_in(staff)


def signed_in(user: User) -> Client:
    """Somebody who typed their password just now."""
    client = Client()
    client.force_login(user)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return client


def save_as_shown(client: Client, address: str, given: dict[str, Any]) -> Any:
    """Send the form of a row's page in the admin as somebody does who opened it just now."""
    form = client.get(address).context["adminform"].form
    return client.post(address, {"as_shown": form["as_shown"].value()} | given)


def press(client: Client, address: str) -> Any:
    """Answer the page that asks before a deed of the admin, with what it says of itself."""
    form = client.get(address).context["form"]
    return client.post(address, {name: form[name].value() for name in form.fields}, follow=True)


@pytest.fixture
def otter(settings) -> Iterator[responses.RequestsMock]:
    """Otter is offered, at OTTER; its answers are what the test registers. Any other call finds nobody there."""
    known = {"URL": OTTER, "CLIENT_ID": "crossdock", "CLIENT_SECRET": "a-client-secret"}
    settings.CONNECTOR_ENVIRONMENT = settings.CONNECTOR_ENVIRONMENT | {"otter": known}
    with responses.RequestsMock(assert_all_requests_are_fired=False) as web:
        yield web


@pytest.fixture
def pio(settings) -> Iterator[responses.RequestsMock]:
    """Pio is offered, at PIO; its answers are what the test registers. Any other call finds nobody there."""
    known = {"URL": PIO, "CLIENT_ID": "crossdock", "CLIENT_SECRET": "pio-test-secret"}
    settings.CONNECTOR_ENVIRONMENT = settings.CONNECTOR_ENVIRONMENT | {"pio": known}
    with responses.RequestsMock(assert_all_requests_are_fired=False) as web:
        yield web
