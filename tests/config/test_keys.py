import stat
from base64 import b64decode
from pathlib import Path

from apps.api.tokens import is_wellformed
from config.local.keys import keys


def test_keys_are_made_once_and_only_for_their_owner(tmp_path: Path):
    file = tmp_path / "secrets.json"

    made = keys(file)

    assert keys(file) == made
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    of_the_demo = {f"DEMO_{name}" for name in ("CLIENT_SECRET", "INTEGRATION_KEY", "CONNECTOR_KEY", "USER_KEY")}
    of_vendors = {"OTTER_CLIENT_SECRET", "OTTER_WEBHOOK_SECRET", "PIO_CLIENT_SECRET"}
    assert set(made) == {"SECRET_KEY", "CREDENTIAL_KEYS"} | of_vendors | of_the_demo
    assert all(is_wellformed(made[name]) for name in of_the_demo)


def test_a_file_of_an_older_checkout_keeps_its_secrets_and_gets_what_it_lacks(tmp_path: Path):
    file = tmp_path / "secrets.json"
    file.write_text('{"SECRET_KEY": "old"}')

    made = keys(file)

    assert (made["SECRET_KEY"], len(made), keys(file)) == ("old", 9, made)


def test_the_credential_key_is_32_named_bytes(tmp_path: Path):
    name, _, encoded = keys(tmp_path / "secrets.json")["CREDENTIAL_KEYS"].partition(":")

    assert (name, len(b64decode(encoded))) == ("k1", 32)
