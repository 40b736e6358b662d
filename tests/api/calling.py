"""Calling the API as its clients do."""

import base64
import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

from tests.factories import CLIENT_SECRET


def basic(client_id: str, secret: str = CLIENT_SECRET) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def call(
    method: str, path: str, body: Any = None, *, token: str = "", headers: dict[str, str] | None = None
) -> HttpResponse:
    """One call below /api/, with a bearer token when there is one."""
    sent = (bearer(token) if token else {}) | (headers or {})
    data = "" if body is None else json.dumps(body)
    return Client().generic(method, f"/api/{path}", data, content_type="application/json", headers=sent)


def said(answer: HttpResponse) -> tuple[int, Any]:
    """Its status, and its body; of a problem only the code, since the rest is for people."""
    body = answer.json() if answer.content else None
    return answer.status_code, body["code"] if answer.status_code >= 400 else body


def wrong(answer: HttpResponse) -> list[str]:
    """The attributes that a validation error names."""
    assert said(answer) == (422, "validation_error")
    return [detail["attribute"] for detail in answer.json()["details"]]
