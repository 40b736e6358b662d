import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog
from celery.signals import task_prerun

from apps.api import tokens
from apps.onboarding.schedule import finish_hanging_connections

SECRET = "s3cr3t-v4lue"


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict]]]:
    """What the configured formatter has written so far, line by line."""
    root = logging.getLogger()
    configured = [one for one in root.handlers if isinstance(one.formatter, structlog.stdlib.ProcessorFormatter)]
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(configured[0].formatter)
    root.addHandler(handler)
    structlog.contextvars.clear_contextvars()
    yield lambda: [json.loads(line) for line in handler.stream.getvalue().splitlines()]
    root.removeHandler(handler)


def test_an_event_is_one_line_of_json_with_its_time_level_and_logger(lines):
    structlog.get_logger("apps.syncs").warning("run ended", products=7, note="first\nsecond")
    [line] = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "run ended",
        "level": "warning",
        "logger": "apps.syncs",
        "note": "first\nsecond",
        "products": 7,
    }


def test_the_standard_librarys_events_look_the_same(lines):
    logging.getLogger("apps.syncs").warning("run %s ended", 7)
    [line] = lines()
    assert (line["event"], line["level"], line["logger"]) == ("run 7 ended", "warning", "apps.syncs")


@pytest.mark.parametrize(
    "name",
    ["token", "access_token", "client_secret", "password", "Authorization", "api_key", "cookie", "code_verifier"],
)
def test_a_value_with_the_name_of_a_secret_is_hidden(lines, name):
    structlog.get_logger().warning("called", **{name: SECRET})
    assert [line[name] for line in lines()] == ["***"]


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {SECRET}",
        f"basic {SECRET}",
        f"GET /connect/callback/?code={SECRET}&state={SECRET}",
        f"GET /connect/callback/?iss=x&state={SECRET}",
        f"access_token={SECRET}",
        f'{{"refresh_token": "{SECRET}"}}',
        f"{{'client_secret': '{SECRET}'}}",
        f"api_key={SECRET}",
        f"password: {SECRET}",
        f"code_verifier={SECRET}",
        f"Not Found: /invitations/{SECRET}/",
        f"Unauthorized: /receive/{SECRET}",
        f"/accounts/password/reset/key/{SECRET}/",
    ],
)
def test_a_text_that_looks_like_a_secret_is_hidden(lines, text):
    structlog.get_logger().warning(text)
    logging.getLogger("urllib3").warning("failed: %s", text)
    structlog.get_logger().warning("failed", detail=text, nested={"text": [text]}, error=ValueError(text))
    written = lines()
    assert len(written) == 3
    assert SECRET not in json.dumps(written)


def test_what_is_no_secret_can_be_read(lines):
    text = "GET /stores/7/ answered status code: 500, state: connected, 3 tokens read"
    structlog.get_logger().warning(text)
    assert [line["event"] for line in lines()] == [text]


def test_a_secret_in_an_exception_is_hidden(lines):
    try:
        raise ValueError(f"token={SECRET}")
    except ValueError:
        structlog.get_logger().exception("broke")
    [line] = lines()
    assert "ValueError: token=***" in line["exception"]
    assert SECRET not in json.dumps(line)


def test_a_request_that_failed_is_logged_without_its_query(lines, owner_client):
    assert owner_client.get("/connect/callback/", {"code": SECRET, "state": SECRET}).status_code == 400
    assert owner_client.get(f"/invitations/{SECRET}/").status_code == 404
    assert [line["event"] for line in lines()] == ["Bad Request: /connect/callback/", "Not Found: /invitations/***/"]
    assert SECRET not in json.dumps(lines())


@pytest.mark.parametrize("prefix", [tokens.ACCESS, tokens.REFRESH, tokens.CLIENT_SECRET, *tokens.KEY_PREFIXES])
def test_a_key_pasted_into_an_address_or_a_box_is_in_no_line(lines, client, db, prefix):
    key = tokens.new_token(prefix)
    for address in (f"/{key}/", f"/nowhere/?q={key}", f"/nowhere/?q=%22{key}%22", f"/nowhere/?q=my+{key}&page=2"):
        assert client.get(address).status_code == 404
    written = lines()
    assert written[0]["event"] == f"Not Found: /{prefix}_***/"
    assert [f"{prefix}_***" in line["request"] for line in written] == [True] * 4
    assert key not in json.dumps(written)


def test_how_a_key_begins_can_be_read(lines):
    structlog.get_logger().warning("the key xdi_a1b2c3 has ended")
    assert [line["event"] for line in lines()] == ["the key xdi_a1b2c3 has ended"]


def test_every_line_of_a_request_carries_the_id_the_answer_names(lines, client, db):
    answers = [client.get("/no-such-page/") for _ in range(2)]
    ids = [answer["X-Request-Id"] for answer in answers]
    assert [line["request_id"] for line in lines()] == ids
    assert len(set(ids)) == 2


def test_every_line_of_a_task_carries_the_tasks_id(db, lines):
    task_prerun.send(sender=None, task_id="id-of-a-task", task=finish_hanging_connections)
    structlog.get_logger().warning("working")
    assert [(line["task_id"], line["task"]) for line in lines()] == [
        ("id-of-a-task", "apps.onboarding.schedule.finish_hanging_connections")
    ]
