"""An owner's trip to Otter's login page and back."""

from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
import responses

from apps.accounts.models import User
from apps.integrations.connectors import get_connector
from apps.integrations.consent import ConsentProblem, begin, finish
from apps.integrations.models import Credential, Integration

from ..connectors.otter import recorded

CALLBACK = "http://testserver/connect/callback/"
ACCOUNT = recorded("organization")["id"]


def leave(user: User, *, browser: str = "a-browser", **options: object) -> dict[str, str]:
    """Off to the platform. Returns the query of the address the owner is sent to."""
    given = {"subject": uuid4(), "redirect_uri": CALLBACK} | options
    address = begin(get_connector("otter"), user=user, organization=user.organization, browser=browser, **given)
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query, strict_parsing=True).items()}


def come_back(user: User, answer: dict[str, str], *, browser: str = "a-browser", redirect_uri: str = CALLBACK):
    return finish(answer, user=user, browser=browser, redirect_uri=redirect_uri)


def problem_of(user: User, answer: dict[str, str], **options: str) -> ConsentProblem:
    with pytest.raises(ConsentProblem) as raised:
        come_back(user, answer, **options)
    return raised.value


def nothing_is_stored() -> bool:
    return not Integration.objects.exists() and not Credential.objects.exists()


def exchanges(web: responses.RequestsMock) -> list[dict[str, str]]:
    sent = [call.request.body for call in web.calls if call.request.method == "POST"]
    return [{name: values[0] for name, values in parse_qs(body).items()} for body in sent]
