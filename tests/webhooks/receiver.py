"""Somebody who wants to hear: a web server in a thread, that answers as it is told and keeps what it got."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

type Answering = Callable[["Got"], int | tuple[int, dict[str, str]]]


@dataclass(frozen=True)
class Got:
    """One message as it came, and how many came before it."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float
    number: int

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """`answers` says the status of each message (and headers), 200 by default; a status of 0 drops the connection."""

    url: str = ""
    got: list[Got] = field(default_factory=list)
    answers: Answering = lambda message: 200
    lock: Any = field(default_factory=threading.Lock)

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int | tuple[int, dict[str, str]]:
        with self.lock:
            message = Got(path, headers, body, time.time(), len(self.got))
            self.got.append(message)
        return self.answers(message)


@contextmanager
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = receiver.take(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            status, headers = answer if isinstance(answer, tuple) else (answer, {})
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            text = b"" if status < 300 else b"no"
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
