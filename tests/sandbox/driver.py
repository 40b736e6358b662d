"""Driving a sandbox from outside, as a browser, an application and an operator would."""

import base64
import hashlib
import json
import os
import re
import secrets
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

ROOT = Path(__file__).resolve().parents[2]
REDIRECT = "http://127.0.0.1:8000/connect/callback/"
LOGINS = {
    "hats": ("hats@great-hats.example", "hats-off-to-you"),
    "shoes": ("shoes@great-shoes.example", "best-foot-forward"),
    "gloves": ("gloves@great-gloves.example", "fits-like-a-glove"),
}
READ, INTEGRATE = "organization.read", "organization.service_integration"
VERIFIER = "a-verifier-of-at-least-forty-three-characters-long"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


def start(database: Path, *, port: int = 0, **environment: str) -> tuple[subprocess.Popen, str]:
    """Run a sandbox and wait until it says where it is: its process and its address."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SANDBOX_")}
    own = {"SANDBOX_DATABASE": str(database), "SANDBOX_PORT": str(port), "DJANGO_SETTINGS_MODULE": "config.settings"}
    process = subprocess.Popen(
        [sys.executable, "-m", "apps.sandbox"],
        cwd=ROOT,
        env=inherited | own | environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    return process, process.stdout.readline().split()[-1]


def stop(process: subprocess.Popen, *, by: int = signal.SIGTERM) -> int:
    """Signal the process and wait for its end: its exit code."""
    process.send_signal(by)
    code = process.wait(timeout=10)
    process.stdout.close()
    return code


@dataclass
class Sandbox:
    """A running sandbox and one session with it; paths are given without the address."""

    url: str
    session: requests.Session = field(default_factory=requests.Session)
    browsers: dict[str, "Browser"] = field(default_factory=dict)
    brands: dict[str, dict] = field(default_factory=dict)
    steered: bool = True

    def __post_init__(self) -> None:
        self.session.trust_env = False

    def close(self) -> None:
        for browser in self.browsers.values():
            browser.sandbox.session.close()
        self.session.close()

    def ask(self, method: str, path: str, **options: object) -> requests.Response:
        return self.session.request(method, self.url + path, allow_redirects=False, timeout=20, **options)

    def control(self, method: str, path: str, **options: object) -> requests.Response:
        """A control call that must succeed."""
        self.steered = self.steered or (method != "GET" and path in ("faults", "switches"))
        response = self.ask(method, "/_control/" + path, **options)
        assert response.ok, response.text
        return response

    def fault(self, kind: str, **details: object) -> None:
        self.control("POST", "faults", json={"kind": kind, **details})

    def brand(self, name: str) -> dict:
        """A seeded brand of that name, with the stores it had when first asked for."""
        if not self.brands:
            organizations = self.control("GET", "state").json()["organizations"]
            self.brands = {brand["name"]: brand for owner in organizations for brand in owner["brands"]}
        return self.brands[name]

    def browser(self, who: str) -> "Browser":
        """A browser in which this organization's user is logged in, and stays so."""
        if who not in self.browsers:
            self.browsers[who] = Browser(self)
            self.browsers[who].log_in(who)
        return self.browsers[who]

    def new_store(self, *, brand: str, products: int = 0) -> str:
        """A fresh store of a seeded brand: its id."""
        made = self.control("POST", "stores", json={"brand": self.brand(brand)["id"], "count": 1}).json()["stores"]
        self.control("POST", f"stores/{made[0]}/catalogue", json={"products": products})
        return made[0]

    def truth(self, store: str) -> list[dict]:
        """Every product of a store, as the control endpoint streams it."""
        lines = self.control("GET", f"stores/{store}/products").text.splitlines()
        return [json.loads(line) for line in lines]

    def application(self) -> "Application":
        """A newly registered application."""
        made = Application(self, client_id=secrets.token_hex(8), secret="s3cret/+ %" + secrets.token_hex(8))
        made.register()
        return made


class Browser:
    """Somebody at the vendor's pages, with cookies of their own."""

    def __init__(self, sandbox: Sandbox):
        self.sandbox = Sandbox(sandbox.url)

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *problem: object) -> None:
        self.sandbox.session.close()

    def log_in(self, who: str, *, path: str = "/v1/auth/login") -> requests.Response:
        email, password = LOGINS[who]
        return self.post(path, {"email": email, "password": password})

    def post(self, path: str, form: dict[str, str], *, page: str | None = None) -> requests.Response:
        """Send a form to `path`, with the CSRF token of the `page` that shows it (the same path unless given)."""
        page = self.sandbox.ask("GET", page or path).text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
        return self.sandbox.ask("POST", path, data={"csrfmiddlewaretoken": token, **form})


@dataclass
class Application:
    """A client of the simulated API."""

    sandbox: Sandbox
    client_id: str
    secret: str

    def register(self) -> None:
        details = {"client_id": self.client_id, "client_secret": self.secret, "redirect_uris": [REDIRECT]}
        self.sandbox.control("POST", "applications", json=details)

    def authorize_path(self, **changes: str | None) -> str:
        """The path of the authorization page; None leaves a parameter out."""
        query = {
            "client_id": self.client_id,
            "redirect_uri": REDIRECT,
            "response_type": "code",
            "scope": f"{READ} {INTEGRATE}",
            "state": "a state/+&",
        }
        kept = {name: value for name, value in (query | changes).items() if value is not None}
        return "/v1/auth/oauth2/authorize?" + urlencode(kept)

    def consent(self, who: str = "hats", *, decision: str = "approve", **changes: str | None) -> dict[str, str]:
        """Decide as that organization's user, and read what the redirect back carries."""
        answer = self.sandbox.browser(who).post(self.authorize_path(**changes), {"decision": decision})
        assert answer.status_code == 302, answer.text
        return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))

    def token_request(self, **form: str | None) -> requests.Response:
        """A request to the token endpoint with the client's secret in the body; None leaves a field out."""
        fields = {"client_id": self.client_id, "client_secret": self.secret, **form}
        return self.sandbox.ask("POST", "/v1/auth/token", data={k: v for k, v in fields.items() if v is not None})

    def exchange(self, code: str, **changes: str | None) -> requests.Response:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "scope": READ}
        return self.token_request(**(form | changes))

    def user_token(self, who: str = "hats", *, scope: str = f"{READ} {INTEGRATE}") -> str:
        code = self.consent(who, scope=scope)["code"]
        return self.exchange(code, scope=scope).json()["access_token"]

    def own_token(self, *, scope: str = "catalog ping") -> str:
        return self.token_request(grant_type="client_credentials", scope=scope).json()["access_token"]

    def call(self, method: str, path: str, *, token: str, **options: object) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
        return self.sandbox.ask(method, path, headers=headers, **options)

    def connect(self, store: str, *, brand: str, store_id: str = "my-store", who: str = "hats") -> None:
        """Connect a store of a seeded brand under `store_id`."""
        path = f"/organization/v1/organization/brands/{self.sandbox.brand(brand)['id']}/stores/{store}/connection"
        answer = self.call("POST", path, token=self.user_token(who), json={"storeId": store_id})
        assert answer.status_code == 204, answer.text

    def summaries(self, bearer: str, *, store_id: str = "my-store", **query: object) -> requests.Response:
        headers = {"X-Store-Id": store_id}
        return self.call("GET", "/inventories/v1/summaries", token=bearer, headers=headers, params=query)

    def ping(self, bearer: str, *, store_id: str = "my-store") -> requests.Response:
        return self.call("GET", "/v1/ping", token=bearer, headers={"X-Store-Id": store_id})
