"""An authorization request (RFC 6749, 4.1.1): read, checked, and remembered between the page and its answer."""

import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from oauth2_provider.oauth2_backends import get_oauthlib_core
from oauthlib.oauth2.rfc6749.errors import FatalClientError, OAuth2Error

from apps.accounts.models import User
from apps.api.grants import CONSENTED

from ..models import Application

LONGEST = 2_000  # characters of the address, which has to fit into another one on the way to the login page
TIME_TO_ANSWER = 60 * 60  # seconds


class NobodyAsks(Exception):
    """Who asks, or where the answer goes, is not known: there is nobody to send an answer to (behaviour 10)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an application wants, and where it wants to hear the answer. `scopes` in the order of our list."""

    application: Application
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str
    challenge: str

    @property
    def origin(self) -> str:
        parts = urlsplit(self.redirect_uri)
        return f"{parts.scheme}://{parts.netloc}"

    def answer(self, **parameters: str) -> str:
        """The address that tells the application: its own, with these parameters, `state`, and `iss` (RFC 9207)."""
        return answer(self.redirect_uri, state=self.state, **parameters)


class Refused(Exception):
    """The application did not ask as it has to. `location` is where it hears so."""

    def __init__(self, error: Any) -> None:
        super().__init__(error.error)
        told = {"error": error.error, "error_description": error.description or "", "state": error.state or ""}
        self.location = answer(error.redirect_uri, **{name: value for name, value in told.items() if value})


def answer(redirect_uri: str, **parameters: str) -> str:
    joint = "&" if "?" in redirect_uri else "?"
    return f"{redirect_uri}{joint}{urlencode(parameters | {'iss': settings.PUBLIC_URL})}"


def read(request: HttpRequest, **defaults: str) -> Asked:
    """What is asked in the query, where `defaults` stand in for what is not there. Raises NobodyAsks, Refused."""
    missing = {name: value for name, value in defaults.items() if name not in request.GET}
    given = [(name, value) for name, values in request.GET.lists() for value in values]
    uri = f"{request.path}?{urlencode([*given, *missing.items()])}"
    if len(uri) > LONGEST:
        raise NobodyAsks
    try:
        scopes, found = get_oauthlib_core().server.validate_authorization_request(uri)
    except FatalClientError as error:
        raise NobodyAsks from error
    except OAuth2Error as error:
        raise Refused(error) from error
    return Asked(
        application=found["request"].client,
        redirect_uri=found["redirect_uri"],
        scopes=tuple(scope for scope in CONSENTED if scope in scopes),
        state=found["state"],
        challenge=found["code_challenge"],
    )


def seal(asked: Asked, *, user: User) -> str:
    """A ticket for the form: signed, and good only for this person's answer to exactly this request."""
    return signing.dumps([_fingerprint(asked, user=user), secrets.token_urlsafe(16)], salt=__name__)


def open_ticket(ticket: str, *, asked: Asked, user: User) -> str:
    """The ticket's own random text. Raises signing.BadSignature when it was made for something else, or is too old."""
    seen, nonce = signing.loads(ticket, salt=__name__, max_age=TIME_TO_ANSWER)
    if seen != _fingerprint(asked, user=user):
        raise signing.BadSignature
    return nonce


def _fingerprint(asked: Asked, *, user: User) -> str:
    shown = [user.pk, asked.application.client_id, asked.redirect_uri, asked.scopes, asked.state, asked.challenge]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()
