"""Sending to receivers that mean ill, or that are not who they seem: real sockets, and a DNS answer that lies."""

import asyncio
import errno
import gzip
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from apps import egress
from apps.webhooks import asking, wires
from apps.webhooks.sending import Answer, Door, open_door, post, post_now
from tests.concurrency import in_a_loop
from tests.test_egress import HOSTILE, LOOPBACK_SPELLINGS

from .hostile import HEAD, Sink, answering, certificate, endless, sink

PUBLIC = "93.184.216.34"
FLAT = 5 * 1024 * 1024  # bytes that memory may grow by
REDIRECTS = [301, 302, 303, 307, 308]


@pytest.fixture
def allowed(settings) -> Iterator[None]:
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1", "localhost"]


def send(url: str, *, seconds: float = 3, **headers: str) -> Answer:
    return post_now(url, headers=headers, body=b'{"a": 1}', seconds=seconds)


def at(place: Sink, path: str = "") -> str:
    return f"http://127.0.0.1:{place.port}/{path}"


def outcome(answer: Answer) -> tuple[int | None, str]:
    return answer.status, answer.error


def in_brackets(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def resolving(monkeypatch: Any, *answers: list[str]) -> list[str]:
    """Names resolve to these, one list for each question, the last for all others. Returns the names asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def lie(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host is None or host.replace(".", "").isdigit() or ":" in host:
            return real(host, port, *args, **kwargs)
        asked.append(host)
        addresses = answers[min(len(asked), len(answers)) - 1]
        family = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(family[":" in one], socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", lie)
    return asked


# ---- Addresses


@pytest.mark.parametrize("address", HOSTILE)
def test_wo_01_a_hostile_literal_is_refused_where_it_is_typed_and_where_it_is_dialled(address):
    url = f"https://{in_brackets(address)}/"
    with pytest.raises(egress.AddressRefused):
        egress.check_receiver(url)
    assert outcome(send(url)) == (None, "refused")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_wo_01_no_spelling_of_our_own_machine_is_ever_connected_to(scheme):
    with sink() as there:
        ours = [one for one in HOSTILE if one.startswith(("127.", "0.0.")) or one.endswith((":1", "127.0.0.1", "::"))]
        for address in ours:
            assert send(f"{scheme}://{in_brackets(address)}:{there.port}/").error == "refused"
        assert (there.connections, len(ours) >= 7) == (0, True)


@pytest.mark.parametrize("host", [*LOOPBACK_SPELLINGS, "127.0.0.1.", "localhost", "localhost.", "[::1]", "[::1%25lo]"])
def test_wo_02_loopback_is_neither_taken_nor_dialled_however_it_is_spelled(host):
    with sink() as there:
        with pytest.raises(egress.AddressRefused):
            egress.check_receiver(f"https://{host}:{there.port}/")
        assert send(f"https://{host}:{there.port}/").error in {"refused", "unreachable"}
        assert there.connections == 0


def test_behaviour_88_a_private_address_is_sent_to_only_where_the_operator_allows_it(settings):
    with sink(answering(HEAD + b"Content-Length: 0\r\n\r\n")) as there:
        settings.EGRESS_ALLOWED_HOSTS = []
        assert (outcome(send(at(there))), there.connections) == ((None, "refused"), 0)
        settings.EGRESS_ALLOWED_HOSTS = [f"127.0.0.1:{there.port + 1}"]
        assert (outcome(send(at(there))), there.connections) == ((None, "refused"), 0)
        settings.EGRESS_ALLOWED_HOSTS = [f"127.0.0.1:{there.port}"]
        assert (outcome(send(at(there))), there.connections) == ((200, ""), 1)


async def dialled(urls: list[str], *, monkeypatch: Any) -> list[tuple[str, int]]:
    """The addresses that connections were begun to; none of them gets anywhere."""
    places: list[tuple[str, int]] = []
    loop = asyncio.get_running_loop()

    async def connect(sock: socket.socket, address: Any) -> None:
        places.append(tuple(address[:2]))
        raise ConnectionRefusedError

    monkeypatch.setattr(loop, "sock_connect", connect)
    async with open_door() as door:
        for url in urls:
            await post(door, url, headers={}, body=b"", seconds=3)
    return places


def test_wo_03_a_name_that_changes_its_mind_is_dialled_only_where_it_was_vetted(monkeypatch):
    asked = resolving(monkeypatch, [PUBLIC], ["127.0.0.1"])
    places = in_a_loop(dialled(["https://rebind.example/"], monkeypatch=monkeypatch))
    assert (places, asked) == ([(PUBLIC, 443)], ["rebind.example"])


def test_wo_03_each_connection_is_vetted_anew(monkeypatch):
    asked = resolving(monkeypatch, [PUBLIC], ["127.0.0.1"])
    places = in_a_loop(dialled(["https://rebind.example/"] * 3, monkeypatch=monkeypatch))
    assert (places, len(asked)) == ([(PUBLIC, 443)], 3)


@pytest.mark.parametrize("answers", [[PUBLIC, "10.0.0.1"], ["::1", PUBLIC], ["2606:4700:4700::1111", "fd00::1"]])
def test_wo_04_a_name_with_one_private_address_is_refused_as_a_whole(monkeypatch, answers):
    resolving(monkeypatch, answers)
    with pytest.raises(egress.AddressRefused):
        egress.check_receiver("https://mixed.example/")
    assert in_a_loop(dialled(["https://mixed.example/"], monkeypatch=monkeypatch)) == []
    assert outcome(send("https://mixed.example/")) == (None, "refused")


@pytest.mark.parametrize("status", REDIRECTS)
@pytest.mark.parametrize("target", ["http://169.254.169.254/latest/meta-data/", "/admin/", "//127.0.0.1/admin/"])
def test_wo_05_a_redirect_is_not_followed(allowed, status, target):
    location = target.replace("127.0.0.1", "{there}")
    with sink() as elsewhere:
        head = f"HTTP/1.1 {status} Moved\r\nLocation: {location.format(there=f'127.0.0.1:{elsewhere.port}')}\r\n"
        with sink(answering(head.encode() + b"Content-Length: 2\r\n\r\nno")) as there:
            answer = send(at(there))
    assert (outcome(answer), answer.body) == ((status, "redirect"), "no")
    assert (there.connections, elsewhere.connections) == (1, 0)


@pytest.mark.parametrize(
    "url",
    [
        "http://1.1.1.1/", "ftp://1.1.1.1/", "file:///etc/passwd", "gopher://1.1.1.1/", "ws://1.1.1.1/",
        "https://1.1.1.1:22/", "https://1.1.1.1:25/", "https://1.1.1.1:5432/", "https://1.1.1.1:6379/",
        "https://me@1.1.1.1/", "https://me:you@1.1.1.1/", "https://1.1.1.1\\@2.2.2.2/", "https://1.1.1.1/\r\nA: b",
        "https://", "https:///a", "https://[::1", "", "https://1.1.1.1:99999/",
    ],
)  # fmt: skip
def test_wo_06_what_is_no_address_for_webhooks_is_neither_taken_nor_dialled(url):
    with pytest.raises(egress.AddressRefused):
        egress.check_receiver(url)
    assert outcome(send(url)) == (None, "refused")


@pytest.mark.parametrize("header", ["Host", "Content-Length", "Transfer-Encoding", "webhook-id", "Webhook-Signature"])
def test_wo_07_headers_that_are_ours_to_set_are_not_taken(header):
    with pytest.raises(asking.Problem):
        asking.check_headers({header: "1"})


@pytest.mark.parametrize("value", ["a\r\nHost: b", "a\nb", "a\rb", "a\0b"])
def test_wo_07_a_header_that_would_break_the_message_is_neither_taken_nor_sent(allowed, value):
    with pytest.raises(asking.Problem):
        asking.check_headers({"X-Mine": value})
    with sink(answering(HEAD + b"Content-Length: 0\r\n\r\n")) as there:
        answer = send(at(there), **{"X-Mine": value})
    assert (answer.status, there.requests) == (None, [])


# ---- Answers


@contextmanager
def memory() -> Iterator[list[int]]:
    """By how many bytes this process is larger than at the beginning, again and again."""
    grown: list[int] = []
    is_over = threading.Event()

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

    def watch() -> None:
        while not is_over.wait(0.005):
            grown.append(resident() - before)
        grown.append(resident() - before)

    before = resident()
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield grown
    finally:
        is_over.set()
        watcher.join()


CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
LARGE = b"x" * 65_536
ENDLESS = {
    "a body of 10 GB": (endless(HEAD + b"Content-Length: 10000000000\r\n\r\n", LARGE), 200),
    "a body without an end": (endless(HEAD + b"\r\n", LARGE), 200),
    "chunks without an end": (endless(CHUNKED, b"10000\r\n" + LARGE + b"\r\n"), 200),
    "tiny chunks without an end": (endless(CHUNKED, b"1\r\nx\r\n" * 1000), 200),
    "a chunk's extension without an end": (endless(CHUNKED + b"1;", LARGE), 200),
    "trailers without an end": (endless(CHUNKED + b"0\r\n" + b"X-A: b\r\n" * 1000, b"X-A: b\r\n"), 200),
    "headers without an end": (endless(HEAD, b"X-A: b\r\n" * 1000), None),
    "one header without an end": (endless(HEAD + b"X-A: ", LARGE), None),
    "a reason without an end": (endless(b"HTTP/1.1 200 ", LARGE), None),
    "going on without an end": (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), None),
    "no HTTP": (endless(b"", LARGE), None),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_wo_08_an_answer_without_an_end_is_cut_and_takes_no_memory(allowed, name):
    behave, status = ENDLESS[name]
    with sink(behave) as there:
        send(at(there), seconds=0.3)  # what Python keeps once it was needed
        began = time.monotonic()
        with memory() as grown:
            answer = send(at(there), seconds=1)
    assert answer.status == status
    assert len(answer.body) <= wires.MOST_KEPT
    assert time.monotonic() - began < 3
    assert max(grown) < FLAT


def test_wo_08_one_byte_a_second_is_cut_at_the_time_limit(allowed):
    with sink(endless(HEAD + b"Content-Length: 1000\r\n\r\n", b"x", every=0.1)) as there:
        answer = send(at(there), seconds=0.5)
    assert (answer.status, answer.error, 500 <= answer.milliseconds < 2000) == (200, "", True)
    assert 1 <= len(answer.body) <= 10


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: "])
def test_wo_08_a_head_of_one_byte_a_second_is_no_answer(allowed, head):
    with sink(endless(head, b"H", every=0.1)) as there:
        answer = send(at(there), seconds=0.5)
    assert (outcome(answer)[0], 500 <= answer.milliseconds < 2000) == (None, True) or answer.error == "unreadable"


def test_wo_08_who_says_nothing_is_given_up_at_the_time_limit(allowed):
    with sink(endless(b"", b"", every=0.1)) as there:
        answer = send(at(there), seconds=0.5)
    assert (outcome(answer), 500 <= answer.milliseconds < 2000) == ((None, "timeout"), True)


def test_wo_08_a_packed_answer_is_not_unpacked(allowed):
    bomb = gzip.compress(b"0" * 50_000_000)
    head = HEAD + f"Content-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    with sink(answering(head + bomb)) as there:
        send(at(there))
        with memory() as grown:
            answer = send(at(there))
    assert (
        answer.status,
        len(answer.body) <= wires.MOST_KEPT,
        b"Accept-Encoding: identity" in there.requests[0],
    ) == (
        200,
        True,
        True,
    )
    assert max(grown) < FLAT


def test_a_packed_answer_is_kept_as_it_came(allowed):
    packed = gzip.compress(b"unpacked")
    head = HEAD + f"Content-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    with sink(answering(head + packed)) as there:
        answer = send(at(there))
    assert (answer.status, "unpacked" in answer.body, bool(answer.body)) == (200, False, True)


def test_a_connection_whose_answer_was_cut_is_not_used_again(allowed):
    async def twice(url: str) -> None:
        async with open_door() as door:
            for _ in range(2):
                await post(door, url, headers={}, body=b"", seconds=3)

    with sink(endless(CHUNKED, b"10000\r\n" + LARGE + b"\r\n")) as there:
        in_a_loop(twice(at(there)))
    assert there.connections == 2


@pytest.mark.parametrize(
    ("then", "anew", "found", "connections"),
    [
        (b"", b"HTTP/1.1 204 None\r\n\r\n", (204, ""), 2),
        (b"", b"", (None, "unreachable"), 2),
        (b"HTTP/1.1 2", b"HTTP/1.1 204 None\r\n\r\n", (None, "unreachable"), 1),
    ],
)
def test_a_connection_they_left_as_we_wrote_is_replaced_once(allowed, then, anew, found, connections):
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if there.connections > 1:
            return await answering(anew)(reader, writer)
        await answering(b"HTTP/1.1 204 None\r\n\r\n")(reader, writer)
        await reader.readuntil(b"\r\n\r\n")
        await answering(then)(reader, writer)

    async def twice(url: str) -> list[Answer]:
        async with open_door() as door:
            return [await post(door, url, headers={}, body=b"", seconds=3) for _ in range(2)]

    with sink(behave) as there:
        answers = in_a_loop(twice(at(there)))
    assert [outcome(answer) for answer in answers] == [(204, ""), found]
    assert there.connections == connections


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (b"", (None, "unreachable")),
        (b"HELLO\r\n\r\n", (None, "unreadable")),
        (b"HTTP/1.1 abc\r\n\r\n", (None, "unreadable")),
        (b"HTTP/1.1 99999 No\r\n\r\n", (None, "unreadable")),
        (HEAD + b"Content-Length: -1\r\n\r\n", (None, "unreadable")),
        (HEAD + b"Content-Length: 100\r\n\r\nshort", (200, "")),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n", (200, "")),
        (HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", (None, "unreadable")),
        (b"HTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", (503, "")),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\nabc", (None, "unreadable")),
        (b"HTTP/1.1 204 None\r\n\r\n", (204, "")),
        (b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", (500, "")),
    ],
)
def test_the_status_counts_once_it_is_there_and_nothing_else_is_an_answer(allowed, answer, found):
    with sink(answering(answer)) as there:
        assert outcome(send(at(there))) == found


def test_what_comes_back_can_be_stored_whatever_it_was(allowed):
    head = b"HTTP/1.1 500 No\r\nX-Odd: a\xff\xfe\x80b\r\nSet-Cookie: a=secret\r\nContent-Length: 4\r\n\r\n"
    with sink(answering(head + b"\x00\xff<b")) as there:
        answer = send(at(there))
    assert answer.headers == {"X-Odd": "a\ufffd\ufffd\ufffdb", "Set-Cookie": "…", "Content-Length": "4"}
    assert answer.body == "\ufffd\ufffd<b"


def test_of_many_headers_the_first_few_are_kept(allowed):
    head = b"HTTP/1.1 500 No\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 500) for n in range(100))
    with sink(answering(head + b"Content-Length: 0\r\n\r\n")) as there:
        answer = send(at(there))
    assert (len(answer.headers), {len(value) for value in answer.headers.values()}) == (30, {300})


def test_behind_many_headers_the_time_they_ask_for_is_kept_once(allowed):
    head = b"HTTP/1.1 503 No\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(100))
    more = b"retry-after: 7\r\nRetry-After: 9\r\nContent-Length: 0\r\n\r\n"
    with sink(answering(head + more)) as there:
        answer = send(at(there))
    assert {name: said for name, said in answer.headers.items() if "X-" not in name} == {"retry-after": "7"}


# ---- TLS


@pytest.mark.parametrize(
    ("name", "until"), [("127.0.0.1", timedelta(days=-1)), ("elsewhere.example", timedelta(days=1))]
)
def test_wo_09_a_certificate_that_is_expired_or_somebody_elses_is_refused(allowed, monkeypatch, tmp_path, name, until):
    """Also when whoever signed it is trusted."""
    context = certificate(tmp_path, name=name, until=until)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / f"{name}.pem"))
    with sink(answering(HEAD + b"\r\n"), tls=context) as there:
        assert outcome(send(f"https://127.0.0.1:{there.port}/")) == (None, "tls")
        assert there.requests == []


def test_wo_09_a_certificate_that_nobody_signed_is_refused(allowed, tmp_path):
    with sink(answering(HEAD + b"\r\n"), tls=certificate(tmp_path, name="127.0.0.1")) as there:
        assert outcome(send(f"https://127.0.0.1:{there.port}/")) == (None, "tls")
        assert there.requests == []


def test_wo_09_one_that_is_in_order_is_accepted(allowed, monkeypatch, tmp_path):
    context = certificate(tmp_path, name="127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "127.0.0.1.pem"))
    with sink(answering(HEAD + b"Content-Length: 0\r\n\r\n"), tls=context) as there:
        assert outcome(send(f"https://127.0.0.1:{there.port}/")) == (200, "")


@pytest.mark.parametrize("scheme", ["HTTPS", "Https", "https"])
def test_wo_09_however_the_scheme_is_spelled_nothing_is_sent_in_the_clear(allowed, monkeypatch, tmp_path, scheme):
    context = certificate(tmp_path, name="127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "127.0.0.1.pem"))
    with sink(answering(HEAD + b"Content-Length: 0\r\n\r\n"), tls=context) as there:
        assert outcome(send(f"{scheme}://127.0.0.1:{there.port}/")) == (200, "")


def test_wo_09_who_does_not_speak_tls_is_refused(allowed):
    with sink(answering(HEAD + b"\r\n")) as there:
        assert send(f"https://127.0.0.1:{there.port}/", seconds=0.5).status is None
        assert there.requests == []


def test_nobody_there_is_unreachable(allowed):
    with sink() as there:
        url = at(there)
    assert outcome(send(url)) == (None, "unreachable")
    assert outcome(send("https://no-such-host.invalid/")) == (None, "unreachable")


def test_what_we_are_short_of_is_no_fault_of_theirs(allowed):
    class Full(Door):
        async def new_wire(self, *_: Any, **__: Any) -> Any:
            raise OSError(errno.EMFILE, "Too many open files")

    answer = in_a_loop(post(Full(), "http://127.0.0.1:8009/", headers={}, body=b"{}", seconds=1))
    assert outcome(answer) == (None, "bug")


# ---- Names


def test_a_name_whose_server_is_silent_keeps_one_thread_busy_and_nobody_else_waiting(allowed, monkeypatch):
    release, asked = threading.Event(), []
    real = egress.vet

    def vet(host: str, port: int) -> list[str]:
        if host != "silent.example":
            return real(host, port)
        asked.append(host)
        release.wait(10)
        raise OSError

    async def many(url: str) -> list[Answer]:
        async with open_door() as door:
            place = {"headers": {}, "body": b"", "seconds": 0.5}
            silent = [post(door, "https://silent.example/", **place) for _ in range(300)]
            return await asyncio.gather(*silent, post(door, url, **place))

    monkeypatch.setattr(egress, "vet", vet)
    with sink(answering(HEAD + b"Content-Length: 0\r\n\r\n")) as there:
        answers = in_a_loop(many(at(there).replace("127.0.0.1", "localhost")))
    release.set()
    assert {outcome(answer) for answer in answers[:-1]} == {(None, "timeout")}
    assert (len(asked), outcome(answers[-1])) == (1, (200, ""))


# ---- Ourselves


@pytest.mark.parametrize("path", ["", "receive/abc", "hooks/?a=b"])
def test_wo_18_our_own_address_is_neither_taken_nor_dialled(settings, monkeypatch, path):
    settings.PUBLIC_URL = "https://portal.example"
    resolving(monkeypatch, [PUBLIC])
    with pytest.raises(egress.AddressRefused):
        egress.check_receiver(f"https://portal.example/{path}")
    assert in_a_loop(dialled([f"https://portal.example/{path}"], monkeypatch=monkeypatch)) == []


def test_wo_18_on_one_machine_our_own_port_is_ourselves(settings):
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    with sink() as there:
        settings.PUBLIC_URL = f"http://127.0.0.1:{there.port}"
        for host in ("127.0.0.1", "localhost"):
            with pytest.raises(egress.AddressRefused):
                egress.check_receiver(f"http://{host}:{there.port}/receive/abc")
            assert outcome(send(f"http://{host}:{there.port}/receive/abc")) == (None, "refused")
    assert there.connections == 0
