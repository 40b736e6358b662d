"""A connection over which a call was refused takes the next one, or says that it does not. By gunicorn itself."""

from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlsplit

import pytest

from tests.factories import make_key
from tests.running import web_servers

pytestmark = pytest.mark.django_db(transaction=True)
MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with web_servers(1, logs=tmp_path_factory.mktemp("gunicorn")) as [place]:
        yield urlsplit(place).netloc


@pytest.fixture
def connection(server) -> Iterator[HTTPConnection]:
    """One that is not opened anew when it was closed."""
    found = HTTPConnection(server, timeout=10)
    found.connect()
    found.auto_open = 0
    yield found
    found.close()


def send(connection: HTTPConnection, path: str, *, stated: int, sent: int, key: str = "") -> HTTPResponse:
    """POST so many bytes; the answer, which is read."""
    connection.putrequest("POST", path)
    headers = {"Content-Type": "application/json", "Content-Length": str(stated)} | ({"X-Api-Key": key} if key else {})
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(b"x" * sent)
    answer = connection.getresponse()
    answer.read()
    return answer


@pytest.mark.parametrize("size", [0, 1, 65_536, 200_000, MEBIBYTE])
@pytest.mark.parametrize(("path", "status"), [("/api/nothing", 404), ("/api/v1/orders", 401), ("/receive/nobody", 404)])
def test_after_a_refusal_that_read_no_body_the_next_call_is_answered(connection, path, status, size):
    answers = [send(connection, path, stated=size, sent=size) for _ in range(2)]
    assert [(answer.status, answer.headers["Connection"]) for answer in answers] == [(status, "keep-alive")] * 2


@pytest.mark.parametrize(("path", "status"), [("/api/nothing", 404), ("/api/v1/orders", 413)])
def test_a_connection_over_which_more_comes_than_is_read_says_that_it_ends(connection, path, status):
    answer = send(connection, path, stated=3 * MEBIBYTE, sent=MEBIBYTE + 65_536, key=make_key())
    assert (answer.status, answer.headers["Connection"]) == (status, "close")
