"""Strict JSON, and serializers that refuse what they do not know."""

import gzip
import json
from decimal import Decimal

import pytest

from apps.accounts.models import Brand
from apps.api.bodies import DEEPEST, read
from apps.api.errors import Problem

JSON = "application/json"


def nested(depth: int, inside: str = "") -> bytes:
    return ("[" * depth + inside + "]" * depth).encode()


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": 1.10}', {"a": Decimal("1.10")}),
        (b'"\xc3\xa9\\ud83c\\udfa9"', "é🎩"),
        (b"[1e308, -1e308, 12345678901234567890]", [Decimal("1e308"), Decimal("-1e308"), 12345678901234567890]),
        (b" null ", None),
        (nested(DEEPEST, "1"), json.loads(nested(DEEPEST, "1"))),
    ],
)
def test_json_is_read_exactly(body, value):
    assert read(body) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{}{}",
        b"{'a': 1}",
        b'{"a": 1, "a": 2}',
        b'[{"a": {"b": 1, "b": 1}}]',
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1e400",
        b"-1e400",
        b"1e99999999999999999999",
        b"9" * 5000,
        b"01",
        b'"\\u0000"',
        b'{"a\\u0000": 1}',
        b'"\\ud800"',
        b'{"\\udfff": 1}',
        b'"a\x01"',
        b"\xef\xbb\xbf{}",
        '{"a": "é"}'.encode("latin-1"),
        '{"a": 1}'.encode("utf-16"),
        b"\xff",
        nested(DEEPEST + 1),
        nested(100_000),
        b'{"a":' * 100_000,
    ],
    ids=lambda body: str(body[:20]),
)
def test_what_is_not_quite_json_is_refused(body):
    with pytest.raises(Problem) as error:
        read(body)
    assert error.value.code == "malformed_request"


def test_what_is_not_json_is_refused_before_anything_is_done(calls):
    answer = calls.post("/api/notes", b'{"text": "a", "text": "b"}', content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")
    assert not Brand.objects.exists()


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({}, [{"attribute": "text", "message": "This field is required."}]),
        ({"text": "a", "txet": 1}, [{"attribute": "txet", "message": "Unknown field."}]),
        ({"text": "a", "_method": "DELETE"}, [{"attribute": "_method", "message": "Unknown field."}]),
        ({"text": 1}, [{"attribute": "text", "message": "Not a valid string."}]),
        ({"text": True}, [{"attribute": "text", "message": "Not a valid string."}]),
        ({"text": None}, [{"attribute": "text", "message": "This field may not be null."}]),
        ({"text": ["a"]}, [{"attribute": "text", "message": "Not a valid string."}]),
        ({"text": "a", "is_pinned": "yes"}, [{"attribute": "is_pinned", "message": "Must be a valid boolean."}]),
        ({"text": "a", "is_pinned": 1}, [{"attribute": "is_pinned", "message": "Must be a valid boolean."}]),
        ([], [{"attribute": "", "message": "Invalid data. Expected a dictionary, but got list."}]),
        ("", [{"attribute": "", "message": "Invalid data. Expected a dictionary, but got str."}]),
        (None, [{"attribute": "", "message": "No data provided"}]),
    ],
)
def test_what_is_not_as_it_has_to_be_is_named(calls, body, details):
    answer = calls.post("/api/notes", json.dumps(body), content_type=JSON)
    assert (answer.status_code, answer.json()["details"]) == (422, details)


def test_of_many_unknown_fields_a_few_are_named_and_shortly(calls):
    answer = calls.post("/api/notes", {f"{n:03}{'x' * 1000}": 1 for n in range(200)}, content_type=JSON)
    named = [one["attribute"] for one in answer.json()["details"]]
    assert named == [f"{n:03}{'x' * 97}" for n in range(10)]


def test_no_body_at_all_is_an_empty_object(calls):
    assert calls.post("/api/notes", content_type=JSON).json()["details"][0]["attribute"] == "text"


@pytest.mark.parametrize("parameter", ["", "; charset=utf-8", ";charset=latin-1", "; Charset=UTF-8; x=y"])
def test_json_is_utf_8_whatever_its_type_says(calls, parameter):
    good = calls.post("/api/notes", '{"text": "é"}'.encode(), content_type=JSON + parameter)
    bad = calls.post("/api/notes", '{"text": "é"}'.encode("latin-1"), content_type=JSON + parameter)
    assert (good.status_code, good.json()["text"], bad.status_code) == (201, "é", 400)


@pytest.mark.parametrize(
    "kind",
    ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "text/json", "", "nonsense"],
)
def test_no_other_type_of_body_is_read(calls, kind):
    answer = calls.generic("POST", "/api/notes", b'{"text": "a"}', content_type=kind)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_a_compressed_body_is_refused(calls):
    body = gzip.compress(b'{"text": "a"}')
    answer = calls.post("/api/notes", body, content_type=JSON, headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(("more", "status"), [(-14, 422), (1, 413), (1_000_000, 413)])
def test_a_body_may_have_a_mebibyte(calls, more, status):
    body = b'{"text": "%s"}' % (b"x" * (1024 * 1024 + more))
    for headers in ({}, {"Idempotency-Key": "k"}):
        answer = calls.post("/api/notes", body, content_type=JSON, headers=headers)
        assert answer.status_code == status


def test_a_body_must_say_how_long_it_is(calls):
    answer = calls.post("/api/notes", CONTENT_LENGTH="", headers={"Transfer-Encoding": "chunked"})
    assert (answer.status_code, answer.json()["code"]) == (411, "length_required")
