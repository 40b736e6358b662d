import base64
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from apps.encrypted import CannotOpen, newest_key, seal, unseal
from apps.integrations.models import Credential

from .concurrency import in_thread, wait_until_blocked
from .factories import make_application_token, make_attempt, make_credential, make_integration

SECRETS = {"access_token": "abc", "unicode": "schön", "expires_in": 3600}


def key(name: str, *, filled_with: int) -> str:
    return f"{name}:{base64.b64encode(bytes([filled_with]) * 32).decode()}"


OLD, NEW = key("old", filled_with=1), key("new", filled_with=2)


@pytest.fixture
def keys(settings):
    """Sets which keys there are, newest first."""

    def have(*keys: str) -> None:
        settings.CREDENTIAL_KEYS = list(keys)

    have(OLD)
    return have


def test_what_was_sealed_can_be_opened(keys):
    assert unseal(seal(SECRETS, bound_to="row:1"), bound_to="row:1") == SECRETS


def test_sealed_text_shows_the_keys_name_and_nothing_of_the_secret(keys):
    sealed = seal(SECRETS, bound_to="row:1")
    assert sealed.partition(":")[0] == "old"
    assert b"abc" not in base64.b64decode(sealed.partition(":")[2])


def test_the_same_secret_is_never_sealed_alike(keys):
    assert seal(SECRETS, bound_to="row:1") != seal(SECRETS, bound_to="row:1")


def test_a_secret_moved_to_another_row_cannot_be_opened(keys):
    sealed = seal(SECRETS, bound_to="row:1")
    with pytest.raises(CannotOpen):
        unseal(sealed, bound_to="row:2")


def test_an_altered_secret_cannot_be_opened(keys):
    name, _, encoded = seal(SECRETS, bound_to="row:1").partition(":")
    raw = base64.b64decode(encoded)
    for place in range(len(raw)):
        altered = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        with pytest.raises(CannotOpen):
            unseal(f"{name}:{base64.b64encode(altered).decode()}", bound_to="row:1")


@pytest.mark.parametrize("text", ["", ":", "old", "old:", "old:AAAA", "old:not base64!", "none:AAAA", "schön:é"])
def test_what_was_never_sealed_cannot_be_opened(keys, text):
    with pytest.raises(CannotOpen):
        unseal(text, bound_to="row:1")


def test_with_two_keys_the_first_seals_and_both_open(keys):
    before = seal(SECRETS, bound_to="row:1")
    keys(NEW, OLD)
    after = seal(SECRETS, bound_to="row:1")
    assert after.partition(":")[0] == newest_key() == "new"
    assert [unseal(sealed, bound_to="row:1") for sealed in (before, after)] == [SECRETS, SECRETS]


def test_with_its_key_dropped_a_secret_cannot_be_opened(keys):
    sealed = seal(SECRETS, bound_to="row:1")
    keys(NEW)
    with pytest.raises(CannotOpen):
        unseal(sealed, bound_to="row:1")


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([], "Set CREDENTIAL_KEYS to name:key, the key being 32 random bytes in base64."),
        (["short:AAAA"], "Key 'short' of CREDENTIAL_KEYS is not 32 bytes in base64."),
        (["no-colon"], "Key 'no-colon' of CREDENTIAL_KEYS is not 32 bytes in base64."),
        (["odd:AAA"], "Key 'odd' of CREDENTIAL_KEYS is not 32 bytes in base64."),
        (["odd:" + "A" * 42 + "=="], "Key 'odd' of CREDENTIAL_KEYS is not 32 bytes in base64."),
        ([OLD.replace(":", ":!")], "Key 'old' of CREDENTIAL_KEYS is not 32 bytes in base64."),
        ([OLD.removeprefix("old")], "Each key of CREDENTIAL_KEYS needs a name of its own in front."),
        ([OLD, NEW.replace("new", "old")], "Each key of CREDENTIAL_KEYS needs a name of its own in front."),
    ],
)
def test_a_key_that_is_none_is_said(keys, entries, reason):
    keys(*entries)
    with pytest.raises(ImproperlyConfigured) as wrong:
        newest_key()
    assert str(wrong.value) == reason


def test_a_row_that_swaps_secrets_with_another_tenants_opens_neither(db):
    mine, theirs = (make_integration(secrets={"access_token": name}).credential for name in ("mine", "theirs"))
    Credential.objects.filter(pk=mine.pk).update(sealed=theirs.sealed)
    mine.refresh_from_db()
    with pytest.raises(CannotOpen):
        _ = mine.secrets


def test_a_stored_secret_stands_in_no_column_in_clear(db):
    make_integration(secrets={"access_token": "in-clear"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(c)::text FROM integrations_credential c")
        [(row,)] = cursor.fetchall()
    assert "in-clear" not in row


# ---- The command that rotates


def test_rotating_seals_every_secret_with_the_newest_key(db, keys):
    rows = [
        make_integration(secrets={"access_token": "a"}).credential,
        make_application_token(token="b"),
        make_attempt(),
    ]
    keys(NEW, OLD)
    call_command("rotate_credential_keys")
    keys(NEW)
    for row in rows:
        row.refresh_from_db()
    ours = {"access_token": "b", "asked": "catalog manager.menus manager.orders"}
    assert [row.secrets for row in rows] == [{"access_token": "a"}, ours, {"verifier": "v" * 43}]
    assert {row.key_name for row in rows} == {"new"}


def test_rotating_twice_changes_nothing_the_second_time(db, keys):
    credential = make_integration().credential
    keys(NEW, OLD)
    call_command("rotate_credential_keys")
    credential.refresh_from_db()
    sealed = credential.sealed
    call_command("rotate_credential_keys")
    credential.refresh_from_db()
    assert credential.sealed == sealed


def test_rotating_is_no_change_of_the_permission(db, keys):
    """A worker that is about to refresh a token knows by `updated_at` whether somebody else did."""
    credential = make_integration().credential
    before = credential.updated_at
    keys(NEW, OLD)
    call_command("rotate_credential_keys")
    credential.refresh_from_db()
    assert credential.updated_at == before


def test_a_secret_that_cannot_be_opened_stops_no_other_from_rotating(db, keys):
    integrations = [make_integration(secrets={}) for _ in range(3)]
    keys(key("lost", filled_with=3))
    lost = make_credential(integration=integrations[1], secrets={"access_token": "lost"})
    keys(OLD)
    kept = [make_credential(integration=integrations[n], secrets={"access_token": "kept"}) for n in (0, 2)]
    keys(NEW, OLD)
    with pytest.raises(CommandError, match=f"1 cannot be opened: credential {lost.pk}"):
        call_command("rotate_credential_keys")
    for credential in [*kept, lost]:
        credential.refresh_from_db()
    assert [credential.key_name for credential in [*kept, lost]] == ["new", "new", "lost"]


@pytest.mark.django_db(transaction=True)
def test_a_secret_that_changes_while_keys_rotate_is_kept_as_changed(keys):
    credential = make_integration(secrets={"access_token": "before"}).credential
    keys(NEW, OLD)
    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            row = Credential.objects.select_for_update().get()
            rotation = in_thread(pool, lambda: call_command("rotate_credential_keys"))
            wait_until_blocked()
            keys(OLD)  # as a worker still does that was started before the new key came
            row.secrets = {"access_token": "refreshed"}
            row.save()
            keys(NEW, OLD)
        rotation.result()
    credential.refresh_from_db()
    assert (credential.key_name, credential.secrets) == ("new", {"access_token": "refreshed"})
