import os
import socket

import pytest

from config.local.child import ChildFailed
from config.local.ports import HOST, port
from config.local.run import chosen_ports


@pytest.fixture
def taken() -> int:
    with socket.create_server((HOST, 0)) as server:
        yield server.getsockname()[1]


def test_a_free_port_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch, taken: int):
    monkeypatch.setenv("PORT", "0")

    assert 1023 < port("PORT", default=taken) != taken


def test_a_taken_port_names_itself_and_the_variable(monkeypatch: pytest.MonkeyPatch, taken: int):
    monkeypatch.setenv("SANDBOX_PORT", str(taken))

    with pytest.raises(
        ChildFailed, match=f"^Port {taken} is in use by another program: set SANDBOX_PORT to a free one.$"
    ):
        port("SANDBOX_PORT", default=8100)


def test_a_port_taken_on_every_address_is_noticed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PORT", raising=False)
    with socket.create_server(("", 0)) as server, pytest.raises(ChildFailed, match="is in use"):
        port("PORT", default=server.getsockname()[1])


@pytest.mark.parametrize("text", ["http", "-1", "65536", "80 80", "٨٠"])
def test_what_is_not_a_port_number_is_refused(monkeypatch: pytest.MonkeyPatch, text: str):
    monkeypatch.setenv("PORT", text)

    with pytest.raises(ChildFailed, match=r"^PORT must be a port number from 1 to 65535, or 0 for any free one, not "):
        port("PORT", default=8000)


def test_one_port_for_both_is_refused(monkeypatch: pytest.MonkeyPatch):
    with socket.create_server((HOST, 0)) as server:
        free = str(server.getsockname()[1])
    monkeypatch.setenv("PORT", free)
    monkeypatch.setenv("SANDBOX_PORT", free)

    with pytest.raises(ChildFailed, match=f"^PORT and SANDBOX_PORT are both {free}"):
        chosen_ports(portal=8000, sandbox=8100)


def test_a_port_with_connections_that_linger_is_free(monkeypatch: pytest.MonkeyPatch):
    with socket.create_server((HOST, 0)) as server:
        number = server.getsockname()[1]
        client = socket.create_connection((HOST, number))
        server.accept()[0].close()  # the side that closes first keeps the port in TIME_WAIT
        assert client.recv(1) == b""
        client.close()
    monkeypatch.setenv("PORT", str(number))

    assert port("PORT", default=os.getpid()) == number
