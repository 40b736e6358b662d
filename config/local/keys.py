"""The secrets of a local run, made once per checkout."""

import json
import secrets
from base64 import b64encode
from pathlib import Path


def keys(path: Path) -> dict[str, str]:
    """The secrets in the JSON file at `path`, by the names of their environment variables; made at the first call."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(json.dumps(_made(), indent=2))
    made: dict[str, str] = json.loads(path.read_text())
    return made


def _made() -> dict[str, str]:
    return {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "CREDENTIAL_KEYS": "k1:" + b64encode(secrets.token_bytes(32)).decode(),
        "OTTER_CLIENT_SECRET": secrets.token_urlsafe(32),
    }
