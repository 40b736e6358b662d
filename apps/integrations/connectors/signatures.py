"""How senders sign that have no scheme of their own: Standard Webhooks 1.0, and HMAC-SHA256 in headers that they name.

Pure functions over what arrived, to the byte. Each returns the sender's id of the message, empty where it has none, and
raises BadSignature, and nothing else: BadTime, when the signature holds and its time is too far from ours.
"""

import base64
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .base import LONGEST_ID, BadSignature, BadTime

WINDOW = timedelta(minutes=5)  # on either side
VERSION, LABEL = "v1,", "sha256="
MOST_DIGITS = 12  # of seconds since 1970
MOST_SIGNATURES = 20
ID, TIMESTAMP, BODY = "{id}", "{timestamp}", "{body}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How one sender signs: in which header, as `hex` or `base64`, and what. An id and a timestamp are in headers too.

    `signed` ends with {body}; what stands before it is signed in front of the body, such as {timestamp} and a point.
    """

    signature: str
    encoding: str = "hex"
    id: str = ""
    timestamp: str = ""
    signed: str = BODY


def standard(headers: Mapping[str, str], body: bytes, *, keys: Sequence[bytes], now: datetime) -> str:
    """The three headers of Standard Webhooks 1.0; one of several signatures is enough."""
    given = _given(headers)
    message_id, timestamp = _said(given, "webhook-id"), _said(given, "webhook-timestamp")
    claimed = _said(given, "webhook-signature", most=10_000).split(" ", MOST_SIGNATURES)
    signatures = [one.removeprefix(VERSION) for one in claimed if one.startswith(VERSION)]
    _check(signatures, f"{message_id}.{timestamp}.".encode() + body, keys=keys, encoding="base64")
    _check_time(timestamp, now=now)
    return message_id


def own(headers: Mapping[str, str], body: bytes, *, terms: Terms, keys: Sequence[bytes], now: datetime) -> str:
    """A signature on the sender's own terms."""
    given = _given(headers)
    message_id = _said(given, terms.id) if terms.id else ""
    timestamp = _said(given, terms.timestamp) if terms.timestamp else ""
    signature = _said(given, terms.signature).removeprefix(LABEL)
    before = terms.signed.removesuffix(BODY).partition(TIMESTAMP)
    signed = (timestamp if part == TIMESTAMP else part.replace(ID, message_id) for part in before)
    _check([signature], "".join(signed).encode() + body, keys=keys, encoding=terms.encoding)
    if terms.timestamp:
        _check_time(timestamp, now=now)
    return message_id


def _given(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _said(given: Mapping[str, str], name: str, *, most: int = LONGEST_ID) -> str:
    text = given.get(name.lower(), "")
    if not 0 < len(text) <= most or not (text.isascii() and text.isprintable()):
        raise BadSignature(f"The header {name} is missing, or is not what it may be.")
    return text


def _check(claimed: Sequence[str], signed: bytes, *, keys: Sequence[bytes], encoding: str) -> None:
    """Each claim is compared with each key's signature, in a time that says nothing."""
    right = [_encoded(hmac.digest(key, signed, "sha256"), encoding) for key in keys if key]
    texts = [text.lower() if encoding == "hex" else text for text in claimed]
    if not any([hmac.compare_digest(text.encode(), one) for text in texts for one in right]):
        raise BadSignature("The signature does not fit.")


def _encoded(digest: bytes, encoding: str) -> bytes:
    return digest.hex().encode() if encoding == "hex" else base64.b64encode(digest)


def _check_time(timestamp: str, *, now: datetime) -> None:
    """A zero in front could have been the end of an id before it, and the message one that we know under that."""
    if not timestamp.isdecimal() or len(timestamp) > MOST_DIGITS or timestamp != str(int(timestamp)):
        raise BadSignature("Its time is not a number of seconds since 1970.")
    if abs(now.timestamp() - int(timestamp)) > WINDOW.total_seconds():
        raise BadTime.told(timestamp, now=now)
