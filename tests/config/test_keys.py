import stat
from base64 import b64decode
from pathlib import Path

from config.local.keys import keys


def test_keys_are_made_once_and_only_for_their_owner(tmp_path: Path):
    file = tmp_path / "secrets.json"

    made = keys(file)

    assert keys(file) == made
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert set(made) == {"SECRET_KEY", "CREDENTIAL_KEYS", "OTTER_CLIENT_SECRET"}


def test_the_credential_key_is_32_named_bytes(tmp_path: Path):
    name, _, encoded = keys(tmp_path / "secrets.json")["CREDENTIAL_KEYS"].partition(":")

    assert (name, len(b64decode(encoded))) == ("k1", 32)
