"""Whether a caller is the application it says it is."""

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import unquote_plus

from django.contrib.auth.hashers import check_password, make_password
from oauth2_provider.generators import BaseHashGenerator
from oauth2_provider.settings import oauth2_settings

from apps.api import tokens

from ..models import Application


class ClientSecrets(BaseHashGenerator):
    """The toolkit's source of client secrets."""

    def hash(self) -> str:
        return tokens.new_token(tokens.CLIENT_SECRET)


class TwoCredentials(Exception):
    """A client may prove who it is in one way a call (RFC 6749, 2.3)."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a caller says: which application it is, and its secret. Both may be empty, or made up."""

    client_id: str
    secret: str

    def guesses_from(self, address: str) -> str:
        """Under which name the wrong secrets of one client from one address are counted (AS-14)."""
        return f"ip:{address} client:{self.client_id}"[:100]


def claim_of(*, authorization: str, client_id: str = "", client_secret: str = "") -> Claim:
    """From the Authorization header (client_secret_basic) or else the form (client_secret_post).

    Raises TwoCredentials. A header that is not readable claims nothing.
    """
    if not authorization:
        return Claim(client_id, client_secret)
    if client_secret:
        raise TwoCredentials
    claim = _basic(authorization)
    if client_id not in ("", claim.client_id):
        raise TwoCredentials
    return claim


def _basic(header: str) -> Claim:
    scheme, _, value = header.partition(" ")
    try:
        decoded = base64.b64decode(value.strip(), validate=True).decode()
    except (ValueError, binascii.Error):
        return Claim("", "")
    client_id, secret = (unquote_plus(part) for part in decoded.partition(":")[::2])
    if scheme.lower() != "basic" or "\x00" in client_id + secret:
        return Claim("", "")
    return Claim(client_id, secret)


def authenticate(claim: Claim) -> Application | None:
    """The application, when the secret is its own and its connector is active.

    Takes the same time for one that does not exist: its secret is hashed too (AS-14).
    """
    found = Application.objects.select_related("connector").filter(client_id=claim.client_id).first()
    is_right = check_password(claim.secret, found.client_secret if found else NOBODYS)
    return found if found and is_right and found.connector.is_active else None


NOBODYS = make_password("the secret of nobody", hasher=oauth2_settings.CLIENT_SECRET_HASHER)
