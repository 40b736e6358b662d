"""The secrets of a local run, made once per checkout."""

import json
import secrets
from base64 import b64encode
from pathlib import Path

from apps.api.tokens import CLIENT_SECRET, CONNECTOR_KEY, INTEGRATION_KEY, USER_KEY, new_token


def keys(path: Path) -> dict[str, str]:
    """The secrets in the JSON file at `path`, by the names of their environment variables; made at the first call."""
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    made = _made() | kept  # a file from before a secret was thought of gets it now
    if made != kept:
        path.touch(mode=0o600)
        path.write_text(json.dumps(made, indent=2))
    return made


def _made() -> dict[str, str]:
    return {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "CREDENTIAL_KEYS": "k1:" + b64encode(secrets.token_bytes(32)).decode(),
        "OTTER_CLIENT_SECRET": secrets.token_urlsafe(32),
        "OTTER_WEBHOOK_SECRET": secrets.token_urlsafe(32),
        "PIO_CLIENT_SECRET": secrets.token_urlsafe(32),
        "DEMO_CLIENT_SECRET": new_token(CLIENT_SECRET),
        "DEMO_INTEGRATION_KEY": new_token(INTEGRATION_KEY),
        "DEMO_CONNECTOR_KEY": new_token(CONNECTOR_KEY),
        "DEMO_USER_KEY": new_token(USER_KEY),
    }
