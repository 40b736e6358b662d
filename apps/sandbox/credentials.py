"""Codes, tokens and client secrets: making them, storing them, and reading them from a request."""

import base64
import hashlib
import secrets
from urllib.parse import unquote_plus


def digest(secret: str) -> str:
    """What is stored of a code or token."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def basic_pairs(value: str) -> list[tuple[str, str]]:
    """Id and secret as sent, and form-decoded: RFC 6749 wants them encoded, many clients send them as they are."""
    try:
        text = base64.b64decode(value, validate=True).decode()
    except ValueError:
        return []
    client_id, _, secret = text.partition(":")
    return [(client_id, secret), (unquote_plus(client_id), unquote_plus(secret))]
