"""The guard on outbound calls, against real servers on loopback; a DNS answer is played where it has to lie."""

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from apps import egress
from apps.egress import AddressRefused, OutboundOAuthSession, OutboundSession, check_url, is_public, vet

# One or more of every special block of the address registries, in every wrapping of version 6.
HOSTILE = [
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1",
    "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.170",
    "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "100::1", "2001::1",
    "2001:db8::1", "2002:7f00:1::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1",
    "ff02::1",
]  # fmt: skip
GOOD = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "::ffff:8.8.8.8"]
LOOPBACK_SPELLINGS = ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "①②⑦.⓪.⓪.①"]


def test_forty_hostile_addresses_are_not_public():
    assert len(HOSTILE) >= 40
    assert [address for address in HOSTILE if is_public(address)] == []


def test_five_good_addresses_are_public():
    assert [is_public(address) for address in GOOD] == [True] * 5


def test_the_zone_of_an_address_does_not_hide_it():
    assert (is_public("fe80::1%eth0"), is_public("::1%lo")) == (False, False)


@pytest.mark.parametrize("address", HOSTILE)
def test_a_typed_hostile_address_is_refused(address):
    with pytest.raises(AddressRefused):
        check_url(f"https://[{address}]/" if ":" in address else f"https://{address}/")


@pytest.mark.parametrize("host", [*LOOPBACK_SPELLINGS, "localhost", "127.0.0.1.", "localhost.", "[::1]", "[::1%25lo]"])
def test_loopback_is_refused_however_it_is_spelled(host):
    with pytest.raises(AddressRefused):
        check_url(f"https://{host}/")


@pytest.mark.parametrize("host", LOOPBACK_SPELLINGS)
def test_loopback_is_not_dialled_however_it_is_spelled(host, server):
    with pytest.raises(requests.RequestException):
        OutboundSession().get(f"http://{host}:{server.port}/")
    assert server.asked == []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "Give the plain address, like https://shop.example.com."),
        ("shop.example.com", "Give the plain address, like https://shop.example.com."),
        ("https://", "Give the plain address, like https://shop.example.com."),
        ("https://me@1.1.1.1", "Give the plain address, like https://shop.example.com."),
        ("https://me:secret@1.1.1.1", "Give the plain address, like https://shop.example.com."),
        ("https://1.1.1.1\\@2.2.2.2", "Give the plain address, like https://shop.example.com."),
        ("https://1.1.1.1/?a=b", "Give the plain address, like https://shop.example.com."),
        ("https://1.1.1.1/#a", "Give the plain address, like https://shop.example.com."),
        ("http://1.1.1.1", "The address must start with https://."),
        ("ftp://1.1.1.1", "The address must start with https://."),
        ("file://1.1.1.1/etc/passwd", "The address must start with https://."),
        ("javascript://1.1.1.1/%0aalert(1)", "The address must start with https://."),
        ("https://[::1", "https://[::1 is not a web address."),
        ("https://1.1.1.1:99999", "https://1.1.1.1:99999 is not a web address."),
        ("https://1.1.1.1:http", "https://1.1.1.1:http is not a web address."),
        ("https://a..b", "a..b is not the name of a server."),
        (f"https://{'a' * 64}.com", f"{'a' * 64}.com is not the name of a server."),
        ("https://exa mple.com", "There is no server called exa mple.com."),
        ("https://a\x00b", "There is no server called a\x00b."),
        ("https://no-such-host.invalid", "There is no server called no-such-host.invalid."),
    ],
)
def test_an_address_that_can_never_be_called_is_refused_with_the_reason(url, reason):
    with pytest.raises(AddressRefused) as refused:
        check_url(url)
    assert str(refused.value) == reason


@pytest.mark.parametrize(
    "url", ["https://1.1.1.1", "https://1.1.1.1:8443/shop", "HTTPS://1.1.1.1/", "https://[2606:4700:4700::1111]/"]
)
def test_a_public_https_address_may_be_typed(url):
    assert check_url(url) is None


# ---- What the operator named


@pytest.mark.parametrize(
    ("entry", "trusted"),
    [
        ("127.0.0.1", [True, True]),
        ("127.0.0.1:8100", [True, False]),
        ("127.0.0.1:8101", [False, True]),
        ("127.0.0.2", [False, False]),
    ],
)
def test_a_private_host_may_be_called_when_the_operator_allows_it_and_its_port(settings, entry, trusted):
    settings.EGRESS_ALLOWED_HOSTS = [entry]
    assert [egress.is_trusted("127.0.0.1", port) for port in (8100, 8101)] == trusted


def test_a_connectors_own_address_is_trusted_on_its_port_only(settings):
    settings.CONNECTOR_ENVIRONMENT = {"otter": {"URL": "http://LocalHost:8100"}, "vendure": {"URL": ""}}
    assert check_url("http://localhost:8100") is None
    for other in ("http://localhost:8101", "https://localhost", "http://127.0.0.1:8100"):
        with pytest.raises(AddressRefused):
            check_url(other)


def test_a_version_6_address_can_be_trusted(settings):
    settings.EGRESS_ALLOWED_HOSTS = ["[::1]:8100"]
    assert (egress.is_trusted("::1", 8100), egress.is_trusted("::1", 8101)) == (True, False)


def test_an_unset_connector_trusts_nobody(settings):
    settings.CONNECTOR_ENVIRONMENT = {"otter": {"URL": ""}}
    assert egress.is_trusted("", None) is False


# ---- What names stand for


@pytest.fixture
def resolver(monkeypatch) -> "Resolver":
    resolver = Resolver(socket.getaddrinfo)
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    return resolver


class Resolver:
    """Plays DNS: one list of addresses per question, and then nothing more."""

    def __init__(self, real: Callable[..., list]) -> None:
        self.real, self.answers, self.asked = real, {}, []

    def __call__(self, host: str, port: int, *args: object, **kwargs: object) -> list:
        if host not in self.answers:
            return self.real(host, port, *args, **kwargs)
        self.asked.append(host)
        found = self.answers[host].pop(0)
        return [entry for address in found for entry in self.real(address, port, type=socket.SOCK_STREAM)]


def test_a_name_with_one_private_address_among_public_ones_is_refused(resolver):
    resolver.answers["shop.example.com"] = [["1.1.1.1", "10.0.0.1"]]
    with pytest.raises(AddressRefused):
        vet("shop.example.com", 443)


def test_one_address_of_each_family_is_dialled_in_the_resolvers_order(resolver):
    resolver.answers["shop.example.com"] = [["2606:4700:4700::1111", "2606:4700:4700::1001", "1.1.1.1", "8.8.8.8"]]
    assert vet("shop.example.com", 443) == ["2606:4700:4700::1111", "1.1.1.1"]


def test_a_name_that_changes_its_address_is_not_asked_a_second_time(resolver, server, settings):
    settings.EGRESS_ALLOWED_HOSTS = [f"shop.example.com:{server.port}"]
    resolver.answers["shop.example.com"] = [["127.0.0.1"]]
    answer = OutboundSession().get(f"http://shop.example.com:{server.port}/")
    assert (answer.status_code, resolver.asked) == (200, ["shop.example.com"])
    assert server.asked[0]["Host"] == f"shop.example.com:{server.port}"


def test_a_name_that_turns_private_after_it_was_typed_is_not_dialled(resolver, server):
    resolver.answers["shop.example.com"] = [["1.1.1.1"], ["127.0.0.1"]]
    check_url(f"https://shop.example.com:{server.port}")
    with pytest.raises(requests.exceptions.InvalidURL, match="not an address on the public Internet"):
        OutboundSession().get(f"https://shop.example.com:{server.port}/")
    assert server.asked == []


def test_a_host_that_does_not_answer_on_its_first_address_is_reached_on_its_second(resolver, server, settings):
    settings.EGRESS_ALLOWED_HOSTS = ["shop.example.com"]
    resolver.answers["shop.example.com"] = [["::1", "127.0.0.1"]]
    assert OutboundSession().get(f"http://shop.example.com:{server.port}/").status_code == 200


def test_a_name_that_cannot_be_one_is_a_failure_of_the_call():
    with pytest.raises(requests.exceptions.InvalidURL):
        OutboundSession().get(f"https://{'a' * 64}.com/")


def test_a_name_nobody_has_is_a_failure_of_the_call():
    with pytest.raises(requests.ConnectionError):
        OutboundSession().get("https://no-such-host.invalid/")


# ---- How a call is made


class Server:
    """A server on loopback that answers every GET with `answer(socket)`, and notes the headers it was asked with."""

    def __init__(self) -> None:
        self.asked: list[dict[str, object]] = []
        self.answer: Callable[[socket.socket], None] = reply(b"{}")
        server = self

        class Answering(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.asked.append(dict(self.headers) | {"from": self.client_address})
                server.answer(self.connection)

            def log_message(self, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.http.daemon_threads = True
        self.port = self.http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"


def reply(body: bytes, *, status: str = "200 OK", headers: str = "", length: int | None = None) -> Callable:
    announced = len(body) if length is None else length
    head = f"HTTP/1.1 {status}\r\nContent-Length: {announced}\r\n{headers}\r\n"
    return lambda connection: connection.sendall(head.encode() + body)


def trickle(head: bytes, *, piece: bytes) -> Callable:
    """Never silent for long, and never done."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(head)
        until = time.monotonic() + 3
        try:
            while time.monotonic() < until:
                connection.sendall(piece)
                time.sleep(0.02)
        except OSError:
            pass  # the client hung up, as it should

    return answer


@pytest.fixture
def server() -> Iterator[Server]:
    """Nobody trusts it; see `trusted`."""
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.http.shutdown()
    thread.join()
    server.http.server_close()


@pytest.fixture
def trusted(server, settings) -> Server:
    settings.EGRESS_ALLOWED_HOSTS = [f"127.0.0.1:{server.port}"]
    return server


def test_a_private_server_is_not_called(server):
    with pytest.raises(requests.exceptions.InvalidURL, match="not an address on the public Internet"):
        OutboundSession().get(server.url)
    assert server.asked == []


def test_a_trusted_server_is_called(trusted):
    trusted.answer = reply(b'{"id": 7}')
    assert OutboundSession().get(trusted.url).json() == {"id": 7}


def test_a_session_with_a_token_is_guarded_too(trusted, settings):
    session = OutboundOAuthSession("an-id", token={"access_token": "a-token", "token_type": "Bearer"})
    assert session.get(trusted.url).status_code == 200
    assert trusted.asked[0]["Authorization"] == "Bearer a-token"
    settings.EGRESS_ALLOWED_HOSTS = []
    other = OutboundOAuthSession("an-id", token={"access_token": "a-token", "token_type": "Bearer"})
    with pytest.raises(requests.exceptions.InvalidURL):
        other.get(trusted.url)
    assert len(trusted.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(trusted, status):
    trusted.answer = reply(b"", status=f"{status} Elsewhere", headers="Location: http://169.254.169.254/\r\n")
    answer = OutboundSession().get(trusted.url, allow_redirects=True)
    assert (answer.status_code, len(trusted.asked)) == (status, 1)


def test_the_environments_proxies_and_passwords_are_not_used(trusted, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert OutboundSession().get(trusted.url).status_code == 200
    assert "Authorization" not in trusted.asked[0]


def test_an_answer_larger_than_the_cap_is_refused(trusted, monkeypatch):
    monkeypatch.setattr(egress, "MAX_BYTES", 1_000)
    trusted.answer = reply(b"x" * 1_000)
    assert len(OutboundSession().get(trusted.url).content) == 1_000
    trusted.answer = reply(b"x" * 1_001)
    with pytest.raises(requests.RequestException, match="larger than 1000 bytes"):
        OutboundSession().get(trusted.url)


def test_a_small_answer_that_unpacks_to_a_large_one_is_refused(trusted, monkeypatch):
    monkeypatch.setattr(egress, "MAX_BYTES", 1_000_000)
    bomb = gzip.compress(bytes(4_000_000))
    assert len(bomb) < 10_000
    trusted.answer = reply(bomb, headers="Content-Encoding: gzip\r\n")
    with pytest.raises(requests.RequestException, match=f"larger than {egress.MAX_BYTES} bytes"):
        OutboundSession().get(trusted.url)


def test_an_answer_shorter_than_announced_is_a_failure(trusted):
    cut_off = reply(b'{"items": []', length=100)
    trusted.answer = lambda connection: (cut_off(connection), connection.shutdown(socket.SHUT_RDWR))
    with pytest.raises(requests.RequestException):
        OutboundSession().get(trusted.url)


def test_a_silent_server_is_left(trusted, monkeypatch):
    monkeypatch.setattr(egress, "READ_SECONDS", 0.2)
    trusted.answer = lambda connection: time.sleep(1)
    with pytest.raises(requests.ReadTimeout):
        OutboundSession().get(trusted.url)


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r"),
        (b"HTTP/1.1 200 OK\r\nX-Long: ", b"y"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"y"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"y"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\ny\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"y"),
    ],
    ids=["headers", "one header", "body", "announced body", "chunks", "the size of a chunk"],
)
def test_a_server_that_trickles_is_left(trusted, monkeypatch, head, piece):
    monkeypatch.setattr(egress, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(egress, "BODY_SECONDS", 0.3)
    trusted.answer = trickle(head, piece=piece)
    began = time.monotonic()
    with pytest.raises(requests.ReadTimeout):
        OutboundSession().get(trusted.url)
    assert time.monotonic() - began < 1.5


def test_a_connection_is_kept_for_the_next_call(trusted):
    with OutboundSession() as session:
        answers = [session.get(trusted.url).json() for _ in range(3)]
    assert answers == [{}] * 3
    assert len({asked["from"] for asked in trusted.asked}) == 1
