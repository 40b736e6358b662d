"""Otter as the tests of the sessions meet it, and integrations to call it with."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs

import requests
import responses
from django.utils import timezone

from apps.integrations.connectors.base import StoreRef
from apps.integrations.models import Credential, Integration
from tests.conftest import OTTER
from tests.factories import make_credential, make_integration

from ..connectors.otter import BRAND, ORGANIZATION, STORE, SUMMARIES, TOKEN, recorded

AMSTERDAM = StoreRef(BRAND, STORE, "great-hats-amsterdam")
EXPIRED = timedelta(minutes=-1)


def organization(client):
    return client.organization()


def products(client):
    return [item.name for item in client.products(AMSTERDAM).items]


def expiring(*, expires_in: timedelta = EXPIRED, **secrets: str) -> Integration:
    """An integration whose token can be refreshed, and ends after so long."""
    integration = make_integration(secrets={})
    given = {"access_token": "old", "refresh_token": "refresh-1"} | secrets
    make_credential(integration=integration, secrets=given, expires_at=timezone.now() + expires_in)
    return integration


def kept(integration: Integration) -> dict[str, str]:
    return Credential.objects.get(integration=integration).secrets


class Platform:
    """Otter with tokens that count: the n-th it gives is `token-n`; calls with any other than `good` get a 401."""

    def __init__(self, web: responses.RequestsMock, *, seconds: float = 0) -> None:
        self.given: list[dict[str, str]] = []
        self.good: set[str] = set()
        self.refusal: tuple[int, str] | None = None
        self.expires_in: object = 3600
        self.seconds = seconds
        web.add_callback(responses.POST, OTTER + TOKEN, self.token)
        web.add_callback(responses.GET, OTTER + ORGANIZATION, self.answer("organization"))
        web.add_callback(responses.GET, OTTER + SUMMARIES, self.answer("summaries"))

    def token(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        self.given.append({name: values[0] for name, values in parse_qs(request.body).items()})
        time.sleep(self.seconds)
        if self.refusal:
            return self.refusal[0], {}, self.refusal[1]
        number = len(self.given)
        self.good.add(f"token-{number}")
        token = {"access_token": f"token-{number}", "refresh_token": f"refresh-{number + 1}", "token_type": "bearer"}
        if self.given[-1]["grant_type"] == "client_credentials":
            del token["refresh_token"]
        return 200, {}, json.dumps(token | {"expires_in": self.expires_in})

    def answer(self, name: str) -> Callable:
        def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
            if request.headers["Authorization"].removeprefix("Bearer ") in self.good:
                return 200, {}, json.dumps(recorded(name))
            return 401, {}, json.dumps(recorded("unauthorized"))

        return answer
