"""Where the owner's browser comes back to; and, for `--auto`, an owner who needs no browser. Only the first is for you.

Crossdock sends the owner's browser to your callback with `code`, `state` and `iss` in the address. Here that is a tiny
server on this machine; in a web application it is one of your views.
"""

import queue
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

import requests

PATIENCE = 10 * 60  # seconds
THANKS = b"""<!doctype html><html lang="en"><title>Thank you</title><link rel="icon" href="data:,">
<p>Thank you. Back to the terminal; you can close this page.</p>"""


class Callback(HTTPServer):
    """`url` is what to register. `wait` gives what a browser brought there."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.url = f"http://127.0.0.1:{self.server_port}/callback"
        self.brought: queue.Queue[dict[str, str]] = queue.Queue()

    def wait(self) -> dict[str, str]:
        """The query of the next call. Raises TimeoutError when nobody comes for ten minutes."""
        try:
            return self.brought.get(timeout=PATIENCE)
        except queue.Empty:
            raise TimeoutError("The owner did not come back within ten minutes.") from None


class Page(BaseHTTPRequestHandler):
    server: Callback

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        is_ours = address.path == "/callback"
        self.send_response(200 if is_ours else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        if is_ours:
            self.wfile.write(THANKS)
            self.server.brought.put(dict(parse_qsl(address.query)))

    def log_message(self, *args: object) -> None:
        pass  # the address holds the code


@contextmanager
def listening() -> Iterator[Callback]:
    """A callback that listens for the block."""
    callback = Callback()
    Thread(target=callback.serve_forever, daemon=True).start()
    yield callback
    callback.shutdown()
    callback.server_close()


def agree(address: str, *, email: str, password: str) -> None:
    """What an owner does with the address: sign in, read the page, press the button. For tests of your own."""
    browser = requests.Session()
    browser.trust_env = False
    page = browser.get(address, timeout=30)
    if 'name="login"' in page.text:
        page = _send(browser, page, csrfmiddlewaretoken="", login=email, password=password)
    page = _send(browser, page, csrfmiddlewaretoken="", ticket="", decision="allow", reach="all")
    if not page.ok or "/callback?" not in page.url:
        raise PermissionError(f"The portal answered {page.status_code} at {page.url} instead of sending us back.")


def _send(browser: requests.Session, page: requests.Response, **answers: str) -> requests.Response:
    """Press the button. What is left empty is what the page put into its form itself."""
    filled = {name: value or _hidden(page, name) for name, value in answers.items()}
    return browser.post(page.url, data=filled, headers={"Referer": page.url}, timeout=30)


def _hidden(page: requests.Response, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*? value="([^"]*)"', page.text)
    return unescape(found[1]) if found else ""
