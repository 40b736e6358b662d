"""Driving the simulated Pio from outside: an integration with a shop, and whoever listens to its hooks."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

from tests.sandbox.driver import Browser, Sandbox

CALLBACK = "http://127.0.0.1:8000/connect/callback/"
AUTHORIZE, LOGIN = "/raw/openapi_auth/authorize_form", "/raw/openapi_auth/login"
TOKEN = "/api/v1/oauth/access_token"
ADMIN = ("admin@foo-3pl.example", "grid-and-shelf")
PICKER = ("picker@foo-3pl.example", "pick-pack-repeat")
SIGNED = ("event-type", "delivery-id", "timestamp", "shop-id", "ext-shop-id")
PRODUCT = {"name": "Beanie", "sku": "HAT-1", "ext_product_id": "p1", "ext_variant_id": "v1"}


def logged_in(sandbox: Sandbox, account: tuple[str, str] = ADMIN) -> Browser:
    browser = Browser(sandbox)
    email, password = account
    answer = browser.post(LOGIN, {"email": email, "password": password})
    assert answer.status_code == 302, answer.text
    return browser


def becomes[Result](ask: Callable[[], Result], *, within: float = 8) -> Result:
    """The answer, once it is a true one: Pio works in the background."""
    ends = time.monotonic() + within
    while not (answer := ask()) and time.monotonic() < ends:
        time.sleep(0.02)
    assert answer
    return answer


def error_of(response: requests.Response) -> tuple[int, str]:
    """Status and code of an answer; whatever else an error of Pio has must be there too."""
    body = response.json()
    assert sorted(body) == ["code", "details", "message"]
    return response.status_code, body["code"]


@dataclass
class Client:
    """An integration of the simulated Pio."""

    sandbox: Sandbox
    client_id: str = field(default_factory=lambda: secrets.token_hex(8))
    secret: str = field(default_factory=lambda: "s3cret/+ %" + secrets.token_hex(8))

    def register(self) -> "Client":
        details = {"client_id": self.client_id, "client_secret": self.secret, "redirect_uris": [CALLBACK]}
        self.sandbox.control("POST", "pio/integrations", json=details)
        return self

    def authorize_path(self, **changes: str | None) -> str:
        query = {"client_id": self.client_id, "redirect_uri": CALLBACK, "state": "a state/+&"} | changes
        return AUTHORIZE + "?" + urlencode({name: value for name, value in query.items() if value is not None})

    def approval(self, account: tuple[str, str] = ADMIN, *, decision: str = "approve") -> dict[str, str]:
        """What the redirect back carries after that account has decided."""
        with logged_in(self.sandbox, account) as browser:
            answer = browser.post(self.authorize_path(), {"decision": decision})
        address, _, query = answer.headers["Location"].partition("?")
        assert address == CALLBACK
        return dict(parse_qsl(query))

    def exchange(self, code: str, **changes: str | None) -> requests.Response:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        form |= {"client_id": self.client_id, "client_secret": self.secret} | changes
        kept = {name: value for name, value in form.items() if value is not None}
        return self.sandbox.ask("POST", TOKEN, data=kept)

    def token(self, account: tuple[str, str] = ADMIN) -> str:
        return self.exchange(self.approval(account)["code"]).json()["access_token"]

    def call(self, method: str, path: str, *, token: str, **options: object) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
        return self.sandbox.ask(method, f"/api/v1/{path}", headers=headers, **options)

    def shop(self, *, ext_shop_id: str = "", token: str = "", name: str = "Great Hats") -> "Shop":
        """A new shop with a token of its own."""
        token, ext_shop_id = token or self.token(), ext_shop_id or secrets.token_hex(4)
        answer = self.call("POST", "shops", token=token, json={"name": name, "ext_shop_id": ext_shop_id})
        assert answer.status_code == 200, answer.text
        return Shop(self, token, answer.json()["id"], ext_shop_id)


@dataclass
class Shop:
    client: Client
    token: str
    id: int
    ext_shop_id: str

    def call(self, method: str, path: str, **options: object) -> requests.Response:
        return self.client.call(method, path, token=self.token, **options)

    def good(self, method: str, path: str, **options: object) -> dict:
        answer = self.call(method, path, **options)
        assert answer.ok, answer.text
        return answer.json() if answer.content else {}

    def add(self, **changes: object) -> dict:
        return self.good("POST", "products", json=PRODUCT | changes)

    def own_product(self, **changes: object) -> dict:
        """A product whose SKU no other test has."""
        return self.add(**{"sku": f"HAT-{secrets.token_hex(6)}"} | changes)

    def hook(self, event: str, address: str) -> dict:
        return self.good("POST", "hooks", json={"event_type": event, "target_url": address})

    def move(self, reason: str, product: dict, quantity: int, **place: str) -> dict:
        body = {"product": product["id"], "quantity": quantity} | place
        return self.client.sandbox.control("POST", f"pio/{reason}", json=body).json()

    def order(self, product: dict, quantity: int = 1, **changes: object) -> dict:
        """A new order of one line, whose pair of external ids no other test has."""
        line = {"sku": product["sku"], "quantity": quantity, "ext_order_line_item_id": "a"}
        ids = {"ext_order_id": secrets.token_hex(6), "ext_fulfillment_order_id": secrets.token_hex(6)}
        return self.good("POST", "orders", json=ids | {"lines": [line]} | changes)

    def stocked(self, quantity: int) -> dict:
        """A product of which so many lie in the grid."""
        product = self.own_product(ext_product_id=secrets.token_hex(6))
        self.move("store", product, quantity)
        return product

    def fulfillment(self, order: dict) -> dict:
        """That of the order, once Pio has prepared it."""
        return becomes(lambda: [f for f in self.fulfillments() if f["order_id"] == order["id"]])[0]

    def fulfillments(self) -> list[dict]:
        """This shop's, in the order of the pick list."""
        lines = self.client.sandbox.control("GET", "pio/fulfillments").text.splitlines()
        return [found for found in map(json.loads, lines) if found["shop"] == self.id]

    def at_port(self, deed: str, fulfillment: dict, **details: object) -> dict:
        """What becomes of the fulfilment when somebody at the port starts, sends or rejects it."""
        path = f"pio/fulfillments/{fulfillment['id']}/{deed}"
        return self.client.sandbox.control("POST", path, json=details).json()

    def numbers(self, product: dict) -> list[int]:
        """In stock, reserved and available."""
        return list(self.good("GET", f"products/{product['id']}")["inventory"].values())

    def deliveries(self, **query: str) -> list[dict]:
        """This shop's, oldest first."""
        every = self.client.sandbox.control("GET", "pio/deliveries", params=query).json()["deliveries"]
        return [delivery for delivery in every if delivery["shop"] == self.id]


@dataclass(frozen=True)
class Message:
    """What a listener got: headers by their lower-case names, and the body as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["x-pio-delivery-id"]

    @property
    def event(self) -> str:
        return self.headers["x-pio-event-type"]

    @property
    def data(self) -> dict:
        return json.loads(self.body)

    def is_signed_with(self, secret: str) -> bool:
        names = [
            self.headers[f"x-pio-{n}"] for n in ("event-type", "delivery-id", "timestamp", "shop-id", "ext-shop-id")
        ]
        signed = hmac.new(secret.encode(), ":".join(names).encode() + b":" + self.body, hashlib.sha256).digest()
        return self.headers["x-pio-hmac-sha256"] == base64.b64encode(signed).decode()


class Listener:
    """A receiver of hooks on this machine. `answer` gets each message and returns the status, or raises to hang up."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.dripped = 0  # header lines, one a second, that an answer begins with
        self.answer: Callable[[Message], int] = lambda message: 200
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks"

    def handler(self) -> type[BaseHTTPRequestHandler]:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.reply(405)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                message = Message({name.lower(): value for name, value in self.headers.items()}, body)
                listener.messages.append(message)
                self.reply(listener.answer(message))

            def reply(self, status: int) -> None:
                try:
                    self.send_response(status)
                    self.flush_headers()
                    for number in range(listener.dripped):
                        time.sleep(1)
                        self.wfile.write(b"X-Drip: %d\r\n" % number)
                    self.send_header("Location", listener.url)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    pass  # whoever asked waits no longer

            def log_message(self, *words: object) -> None:
                pass

        return Handler

    def hears(self, count: int, *, within: float = 5) -> list[Message]:
        """The messages, once there are so many."""
        ends = time.monotonic() + within
        while len(self.messages) < count and time.monotonic() < ends:
            time.sleep(0.01)
        assert len(self.messages) == count, self.messages
        return self.messages


@contextmanager
def listening() -> Iterator[Listener]:
    listener = Listener()
    thread = Thread(target=listener.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield listener
    finally:
        listener.server.shutdown()
        thread.join()
        listener.server.server_close()


def path_of(response: requests.Response) -> str:
    return urlsplit(response.headers["Location"]).path
