"""Receivers that mean ill: raw servers on loopback, that send what they want for as long as they like."""

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

type Behave = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

HEAD = b"HTTP/1.1 200 OK\r\n"


@dataclass
class Sink:
    """`requests` are the heads that arrived."""

    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)


@contextmanager
def sink(behave: Behave | None = None, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[Sink]:
    """A server in a thread. It reads the head of each request, and then does as `behave` says; by default nothing."""
    made, loop = Sink(), asyncio.new_event_loop()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.connections += 1
        if task := asyncio.current_task():
            tasks.add(task)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            made.requests.append(await reader.readuntil(b"\r\n\r\n"))
            if behave:
                await behave(reader, writer)
        writer.close()

    # All of it in that thread: in this one a browser may have a loop that runs.
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    starting = asyncio.start_server(serve, host, 0, ssl=tls, limit=1024)
    server = asyncio.run_coroutine_threadsafe(starting, loop).result(10)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        asyncio.run_coroutine_threadsafe(_end(server, tasks), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _end(server: asyncio.Server, tasks: set[asyncio.Task[None]]) -> None:
    """Also of connections that came in at this very moment."""
    server.close()
    for _ in range(2):
        for task in list(tasks):
            task.cancel()
        server.abort_clients()
        await asyncio.sleep(0.02)
        if accepting := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(accepting, timeout=1)
    await asyncio.sleep(0.05)  # what was just accepted, or is closing, comes to its end


def answering(answer: bytes) -> Behave:
    """These bytes, once."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return behave


def endless(head: bytes, chunk: bytes, *, every: float = 0.0) -> Behave:
    """A beginning, and then the same again and again until the other side has enough."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(every)

    return behave


def certificate(folder: Path, *, name: str, until: timedelta = timedelta(days=1)) -> ssl.SSLContext:
    """A server's end of TLS, with a certificate that it signed itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=10))
        .not_valid_after(now + until)
        .add_extension(x509.SubjectAlternativeName([_alternative(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / f"{name}.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
