"""Other people's secrets at rest: AES-256-GCM, with the key's name in front, bound to the row they belong to.

Two or more keys can live side by side: the first of CREDENTIAL_KEYS seals, every one opens.
"""

import base64
import json
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models


class CannotOpen(Exception):
    """The secret was sealed with a key we no longer have, was altered, or belongs to another row."""


def _keys() -> dict[str, bytes]:
    keys: dict[str, bytes] = {}
    for entry in settings.CREDENTIAL_KEYS:
        name, _, encoded = entry.partition(":")
        if not name or name in keys:
            raise ImproperlyConfigured("Each key of CREDENTIAL_KEYS needs a name of its own in front.")
        keys[name] = _decoded(encoded)
        if len(keys[name]) != 32:
            raise ImproperlyConfigured(f"Key {name!r} of CREDENTIAL_KEYS is not 32 bytes in base64.")
    if not keys:
        raise ImproperlyConfigured("Set CREDENTIAL_KEYS to name:key, the key being 32 random bytes in base64.")
    return keys


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def newest_key() -> str:
    return next(iter(_keys()))


def seal(secrets: dict[str, Any], *, bound_to: str) -> str:
    """The secrets as text that only this deployment can open, and only for the row named by `bound_to`."""
    name, nonce = newest_key(), os.urandom(12)
    sealed = AESGCM(_keys()[name]).encrypt(nonce, json.dumps(secrets).encode(), bound_to.encode())
    return f"{name}:{base64.b64encode(nonce + sealed).decode()}"


def unseal(text: str, *, bound_to: str) -> dict[str, Any]:
    """The secrets again. Raises CannotOpen."""
    name, _, encoded = text.partition(":")
    try:
        raw = base64.b64decode(encoded)
        return json.loads(AESGCM(_keys()[name]).decrypt(raw[:12], raw[12:], bound_to.encode()))
    except (KeyError, ValueError, InvalidTag) as error:
        raise CannotOpen(f"Sealed with key {name!r}: {type(error).__name__}") from error


class Sealed(models.Model):
    """A row that keeps secrets. Its primary key must be set before `secrets` is, since they are bound to it."""

    sealed = models.TextField(editable=False)

    class Meta:
        abstract = True

    def _bound_to(self) -> str:
        return f"{self._meta.db_table}:{self.pk}"

    @property
    def secrets(self) -> dict[str, Any]:
        return unseal(self.sealed, bound_to=self._bound_to())

    @secrets.setter
    def secrets(self, secrets: dict[str, Any]) -> None:
        self.sealed = seal(secrets, bound_to=self._bound_to())

    @property
    def key_name(self) -> str:
        return self.sealed.partition(":")[0]
