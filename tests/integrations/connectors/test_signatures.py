"""Signatures that are nobody's own scheme. The reference library of Standard Webhooks is the oracle."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st

from apps.integrations.connectors import signatures
from apps.integrations.connectors.base import BadSignature, BadTime
from apps.integrations.connectors.signatures import Terms

KEY = b"k" * 32
SENT = datetime.fromtimestamp(1_700_000_000, UTC)
BODY = b'{"type":"order.created","data":{"n":1}}'
ORACLE = standardwebhooks.Webhook(base64.b64encode(KEY).decode())
ANY_HEADERS = st.dictionaries(
    st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature", "X-Sign", "x-id", "X-Time"]), st.text()
)
TERMS = {
    "plain": Terms(signature="X-Sign"),
    "base64": Terms(signature="X-Sign", encoding="base64"),
    "timed": Terms(signature="X-Sign", timestamp="X-Time", signed="{timestamp}.{body}"),
    "versioned": Terms(signature="X-Sign", timestamp="X-Time", signed="v0:{timestamp}:{body}"),
    "whole": Terms(signature="X-Sign", id="X-Id", timestamp="X-Time", signed="{id}.{timestamp}.{body}"),
    "named": Terms(signature="X-Sign", id="X-Id"),
}


def standard_headers(body: bytes = BODY, *, message_id: str = "msg_1", sent: datetime = SENT) -> dict[str, str]:
    signature = ORACLE.sign(message_id, sent, body.decode())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(sent.timestamp())),
        "webhook-signature": signature,
    }


def own_headers(terms: Terms, body: bytes = BODY, *, sent: datetime = SENT, key: bytes = KEY) -> dict[str, str]:
    """As a sender would sign, written without a look at our code."""
    time = str(int(sent.timestamp()))
    text = terms.signed.replace("{body}", "").replace("{timestamp}", time).replace("{id}", "d-1")
    digest = hmac.new(key, text.encode() + body, hashlib.sha256).digest()
    said = base64.b64encode(digest).decode() if terms.encoding == "base64" else digest.hex()
    return {"X-Sign": said, "X-Id": "d-1", "X-Time": time}


def standard(headers, body=BODY, *, keys=(KEY,), now=SENT):
    return signatures.standard(headers, body, keys=keys, now=now)


def own(terms, headers, body=BODY, *, keys=(KEY,), now=SENT):
    return signatures.own(headers, body, terms=terms, keys=keys, now=now)


@contextmanager
def refused() -> Iterator[None]:
    with pytest.raises(BadSignature):
        yield


@given(body=st.text().map(str.encode), message_id=st.from_regex(r"[\x21-\x7e]{1,60}", fullmatch=True))
def test_what_the_reference_library_signs_is_accepted(body, message_id):
    assert standard(standard_headers(body, message_id=message_id), body) == message_id


@given(headers=ANY_HEADERS, body=st.binary())
def test_wi_02_nothing_that_arrives_raises_anything_else(headers, body):
    """Where the reference library raises UnicodeDecodeError, ValueError, binascii.Error and JSONDecodeError."""
    with suppress(BadSignature):
        standard(headers, body)
    for terms in TERMS.values():
        with suppress(BadSignature):
            own(terms, headers, body)


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("webhook-signature", ""),
        ("webhook-signature", "v1"),
        ("webhook-signature", "v1,%%%"),
        ("webhook-signature", "v1,ü"),
        ("webhook-signature", "v2," + "A" * 44),
        ("webhook-signature", "v1,a " * 5_000),
        ("webhook-timestamp", ""),
        ("webhook-timestamp", "soon"),
        ("webhook-timestamp", "1e9"),
        ("webhook-timestamp", "٣"),
        ("webhook-timestamp", "9" * 200),
        ("webhook-timestamp", "-1"),
        ("webhook-id", ""),
        ("webhook-id", "x" * 256),
        ("webhook-id", "\x00"),
    ],
)
def test_wi_02_a_malformed_header_is_a_bad_signature(header, text):
    with refused():
        standard(standard_headers() | {header: text})


@pytest.mark.parametrize("part", ["body", "webhook-id", "webhook-timestamp"])
def test_wi_01_one_altered_bit_is_refused(part):
    headers = standard_headers()
    text = BODY if part == "body" else headers[part].encode()
    for n in range(len(text) * 8):
        changed = text[: n // 8] + bytes([text[n // 8] ^ (1 << n % 8)]) + text[n // 8 + 1 :]
        with refused():
            if part == "body":
                standard(headers, changed)
            else:
                standard(headers | {part: changed.decode("latin-1")})


def test_wi_01_another_secret_none_and_a_missing_header_are_refused():
    for keys in ([b"another"], [b""], []):
        with refused():
            standard(standard_headers(), keys=keys)
    for name in standard_headers():
        with refused():
            standard({other: text for other, text in standard_headers().items() if other != name})


@pytest.mark.parametrize(
    ("seconds", "accepted"), [(299, True), (300, True), (301, False), (-299, True), (-300, True), (-301, False)]
)
def test_wi_03_the_window_is_five_minutes_on_either_side(seconds, accepted):
    timed = TERMS["timed"]
    now = SENT + timedelta(seconds=seconds)
    if accepted:
        assert (standard(standard_headers(), now=now), own(timed, own_headers(timed), now=now)) == ("msg_1", "")
        return
    with pytest.raises(BadTime):
        standard(standard_headers(), now=now)
    with pytest.raises(BadTime):
        own(timed, own_headers(timed), now=now)


def test_only_what_is_signed_is_told_of_its_time():
    """So that no outsider makes us believe that a clock is wrong."""
    with pytest.raises(BadSignature) as refusal:
        standard(standard_headers() | {"webhook-signature": "v1,AAAA"}, now=SENT + timedelta(days=1))
    assert not isinstance(refusal.value, BadTime)


def test_wi_06_the_bytes_are_signed_not_what_they_mean():
    headers = standard_headers()
    for same in (
        json.dumps(json.loads(BODY)).encode(),
        b"\xef\xbb\xbf" + BODY,
        BODY + b"\n",
        BODY.replace(b"1", b" 1"),
    ):
        with refused():
            standard(headers, same)
        with refused():
            own(TERMS["plain"], own_headers(TERMS["plain"]), same)


def test_wi_10_one_of_several_signatures_and_of_several_secrets_is_enough():
    headers = standard_headers()
    both = headers | {"webhook-signature": f"v1a,abc v1,AAAA {headers['webhook-signature']}"}
    assert standard(both, keys=[b"newer", KEY]) == "msg_1"


@pytest.mark.parametrize("name", TERMS)
def test_a_sender_signs_on_its_own_terms(name):
    terms = TERMS[name]
    headers = own_headers(terms)
    assert own(terms, headers) == ("d-1" if terms.id else "")
    assert own(terms, {header.upper(): text for header, text in headers.items()}) == ("d-1" if terms.id else "")
    with refused():
        own(terms, headers, keys=[b"another"])
    for n in range(len(BODY)):
        with refused():
            own(terms, headers, BODY[:n] + bytes([BODY[n] ^ 1]) + BODY[n + 1 :])


def test_what_stands_before_the_body_is_signed_too():
    whole = TERMS["whole"]
    for changed in ({"X-Id": "d-2"}, {"X-Time": "1700000001"}, {"X-Id": ""}, {"X-Time": ""}):
        with refused():
            own(whole, own_headers(whole) | changed)


def test_a_label_and_capitals_before_hexadecimal_digits_are_understood():
    plain = TERMS["plain"]
    said = own_headers(plain)["X-Sign"]
    for same in (f"sha256={said}", said.upper()):
        assert own(plain, {"X-Sign": same}) == ""


def test_an_id_that_looks_like_a_placeholder_is_only_an_id():
    whole = TERMS["whole"]
    sent = hmac.new(KEY, b"{timestamp}.1700000000." + BODY, hashlib.sha256).hexdigest()
    assert own(whole, {"X-Sign": sent, "X-Id": "{timestamp}", "X-Time": "1700000000"}) == "{timestamp}"


def test_the_end_of_an_id_is_no_beginning_of_a_time():
    """Or a message that was taken in would come back under another id."""
    close = Terms(signature="X-Sign", id="X-Id", timestamp="X-Time", signed="{id}{timestamp}{body}")
    headers = {"X-Sign": hmac.new(KEY, b"d-100" + b"1700000000" + BODY, hashlib.sha256).hexdigest()}
    assert own(close, headers | {"X-Id": "d-100", "X-Time": "1700000000"}) == "d-100"
    for message_id, time in (("d-10", "01700000000"), ("d-1", "001700000000"), ("d-1001", "700000000")):
        with refused():
            own(close, headers | {"X-Id": message_id, "X-Time": time})


def test_an_empty_secret_signs_nothing():
    plain = TERMS["plain"]
    with refused():
        own(plain, own_headers(plain, key=b""), keys=[b""])


@pytest.mark.parametrize("message_id", ["x" * 256, "caf\u00e9", "a\x00b", "a\nb"])
def test_wi_02_an_id_that_we_could_not_keep_is_refused_however_well_it_is_signed(message_id):
    with refused():
        standard(standard_headers(message_id=message_id))
