"""The code flow as a partner's application goes through it, with the owner's browser beside it."""

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.http import HttpResponse
from django.test import Client
from django.test.client import RequestFactory
from rest_framework.request import Request

from apps.api.errors import Problem
from apps.api.principals import Principal
from apps.integrations.models import Application
from apps.shops.principals import MachineAuthentication
from tests.factories import CALLBACK_URL, CLIENT_SECRET

AUTHORIZE, TOKEN, REVOKE, INTROSPECT = "/oauth/authorize", "/oauth/token", "/oauth/revoke", "/oauth/introspect"
FORM = "application/x-www-form-urlencoded"
SCOPE = "orders:read organization.read"


def challenge_of(verifier: str) -> str:
    """S256 (RFC 7636, 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass
class Flow:
    """One trip: `ask` the owner, take the `code`, and change it for tokens."""

    application: Application
    owner: Client
    scope: str = SCOPE
    secret: str = CLIENT_SECRET
    state: str = "a state, unchanged & whole"
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    def query(self, **changes: Any) -> dict[str, Any]:
        """What the application asks with; a change to None leaves a parameter out."""
        asked = {
            "response_type": "code",
            "client_id": self.application.client_id,
            "redirect_uri": CALLBACK_URL,
            "scope": self.scope,
            "state": self.state,
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (asked | changes).items() if value is not None}

    def ask(self, **changes: Any) -> HttpResponse:
        return self.owner.get(AUTHORIZE, self.query(**changes))

    def answer(self, page: HttpResponse, **changes: Any) -> HttpResponse:
        """What a press of the page's first button sends."""
        given = {"ticket": ticket_of(page), "decision": "allow", "reach": "all"} | changes
        return self.owner.post(action_of(page), {name: value for name, value in given.items() if value is not None})

    def code(self, **changes: Any) -> str:
        return heard(self.answer(self.ask(), **changes))["code"]

    def call(self, place: str, secret: str | None = None, **body: Any) -> HttpResponse:
        """A call of the application itself, with its credentials in the body."""
        known = {"client_id": self.application.client_id, "client_secret": secret or self.secret}
        return Client().post(place, {name: value for name, value in (known | body).items() if value is not None})

    def redeem(self, code: str, **changes: Any) -> HttpResponse:
        given = {"code": code, "redirect_uri": CALLBACK_URL, "code_verifier": self.verifier}
        return self.call(TOKEN, **{"grant_type": "authorization_code"} | given | changes)

    def refresh(self, token: str, **changes: Any) -> HttpResponse:
        return self.call(TOKEN, **{"grant_type": "refresh_token", "refresh_token": token} | changes)

    def tokens(self, **changes: Any) -> dict[str, Any]:
        """The whole trip."""
        return self.redeem(self.code(**changes)).json()


def ticket_of(page: HttpResponse) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def action_of(page: HttpResponse) -> str:
    found = re.search(r'<form method="post" action="(/[^"]*authorize[^"]*)"', page.text)
    assert found, page.text
    return found[1].replace("&amp;", "&")


def heard(answer: HttpResponse) -> dict[str, str]:
    """What the application hears at its callback."""
    assert answer.status_code in {302, 303}, (answer.status_code, answer.text)
    location = answer.headers["Location"]
    assert location.startswith(f"{CALLBACK_URL}?"), location
    return dict(parse_qsl(urlsplit(location).query, keep_blank_values=True))


def principal_of(token: str) -> Principal | None:
    """Who an API call with this token is made by; None when it would be answered 401."""
    request = Request(RequestFactory().get("/api/", headers={"Authorization": f"Bearer {token}"}))
    try:
        found = MachineAuthentication().authenticate(request)
    except Problem as problem:
        if problem.code != "unauthorized":
            raise
        return None
    return found[0] if found else None


def is_good(token: str) -> bool:
    return principal_of(token) is not None
