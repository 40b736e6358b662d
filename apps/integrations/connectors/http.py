"""One HTTP call to a remote system, with every failure turned into one of the three errors."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema

from .base import Rejected, Unauthorized, Unreachable

TRY_LATER = {408, 425, 429, 500, 502, 503, 504}


def fetch(
    session: requests.Session,
    method: str,
    url: str,
    *,
    code_of: Callable[[requests.Response], str] = lambda response: "",
    **kwargs: Any,
) -> requests.Response:
    """The answer, if its status is 2xx. Raises Unreachable, Rejected or Unauthorized (401).

    `code_of` reads the remote system's own code for a refusal, empty when the answer has none.
    """
    try:
        response = session.request(method, url, **kwargs)
    except requests.Timeout as error:
        raise Unreachable(f"{method} {url}: {error}", code="timeout") from error
    except (InvalidURL, InvalidSchema, MissingSchema) as error:
        raise Rejected(str(error), code="address_refused") from error
    except requests.RequestException as error:
        raise Unreachable(f"{method} {url}: {error}") from error
    if response.ok and response.status_code < 300:
        return response
    _refuse(response, f"{method} {url} answered {response.status_code}: {response.text[:300]}", code_of=code_of)
    raise AssertionError("unreachable")


def _refuse(response: requests.Response, detail: str, *, code_of: Callable[[requests.Response], str]) -> None:
    status = response.status_code
    if status == 401:
        raise Unauthorized(detail)
    if status == 429:
        raise Unreachable(detail, code="rate_limited", retry_after=retry_after(response))
    if status in TRY_LATER or status >= 500:
        raise Unreachable(detail, code="server_error", retry_after=retry_after(response))
    codes = {403: "forbidden", 404: "not_found", 409: "conflict", 410: "not_found"}
    raise Rejected(detail, code=code_of(response) or codes.get(status, "rejected"), status=status)


def retry_after(response: requests.Response) -> float | None:
    """Seconds the server asks us to wait (RFC 9110 10.2.3), as a number or a date; None when it says nothing usable."""
    value = response.headers.get("Retry-After", "")
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def json_of(response: requests.Response) -> Any:
    """The decoded body. Raises Unreachable, code garbled: a cut-off or foreign answer may be whole next time."""
    try:
        return response.json()
    except (ValueError, RecursionError) as error:
        raise Unreachable(f"{response.url} sent something that is not JSON.", code="garbled") from error
