"""The reference partner: everything a partner's program does with Crossdock, one step after the other.

    make partner                                       with the demo that runs beside it (make demo)
    python docs/partner --portal https://portal.example   with any portal that lets you register

It prints what it does, each call as a curl line, and the answer; and stops with status 1 at the first answer that is
not as it should be. `--auto` asks nobody: it signs in as the demo's owner, agrees, and takes the first of each choice.
Needs requests and Authlib. `crossdock.py` is the part to copy; the guide beside this folder explains the steps.
"""

import argparse
import json
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import browser
import requests
from authlib.common.errors import AuthlibBaseError
from crossdock import Crossdock, Refused

SCOPES = ["organization.read", "organization.service_integration", "shops:read", "shops:write"]
SCOPES += ["integrations:read", "integrations:write", "products:read", "products:write"]
OURS = f"partner-{uuid.uuid4().hex[:6]}"  # how we name the store: an id of our own, new with each run
SYNC_SECONDS = 60


class Unexpected(Exception):
    """Crossdock did not answer as its contract says."""


def main() -> None:
    options = _options()
    try:
        Journey(options).walk()
    except (Unexpected, Refused, AuthlibBaseError, PermissionError, TimeoutError) as failure:
        sys.exit(f"\nStopped: {failure}")
    except requests.RequestException as failure:
        sys.exit(f"\nStopped: {options.portal} cannot be reached ({type(failure).__name__}).")
    except (KeyboardInterrupt, EOFError):
        sys.exit("\nStopped.")


class Journey:
    """The steps, and what they hand on to each other."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options

    def walk(self) -> None:
        say(f"Find the portal's endpoints: everything else follows from {self.options.portal}")
        self.crossdock = Crossdock(self.options.portal)
        with browser.listening() as callback:
            self.register(callback.url)
            self.get_consent(callback)
        self.read_the_organization()
        self.connect_the_store()
        self.replace_the_id()
        self.refresh_the_tokens()
        self.look_at_our_integration()
        self.sync_a_platform()
        self.create_a_shop()
        self.bring_products()
        self.clean_up()
        print("\nDone: every step did what it should.")

    # ---- Who we are

    def register(self, callback_url: str) -> None:
        say("Register our application: the secret is shown this once")
        self.registered = self.crossdock.register(
            "Reference Partner", email="dev@partner.example", callback_url=callback_url
        )
        self.itself = self.crossdock.application(self.registered["client_id"], self.registered["client_secret"])
        say("See whether our client credentials work")
        self.crossdock.call("GET", "/v1/ping", to=self.itself)
        known = self.crossdock.call("GET", "/v1/integrations/self", to=self.itself)
        expect("the secret is not shown again", "client_secret" not in known)

    def get_consent(self, callback: browser.Callback) -> None:
        say("Send the owner to the consent page")
        consent = self.consent = self.crossdock.consent(self.registered, SCOPES)
        print(f"  Open this in a browser, as an owner or admin of the organization:\n\n  {consent.address}\n")
        if self.options.auto:
            browser.agree(consent.address, **self.options.owner)
        came_back = callback.wait()
        say("Exchange the code that came with the owner for tokens")
        self.us = consent.tokens(came_back)

    # ---- The organization and its stores

    def read_the_organization(self) -> None:
        say("Read the organization, its brands, and the stores of one of them")
        self.organization = self._get("/organization/v1/organization")
        brand = self._choose("brand", self._pages("/organization/v1/organization/brands"))
        stores = f"/organization/v1/organization/brands/{brand['id']}/stores"
        self.store = self._choose("store", self._pages(stores))
        self.connection = f"{stores}/{self.store['id']}/connection"

    def connect_the_store(self) -> None:
        say(f"Connect {self.store['name']} under our own id of it, {OURS}")
        self._refused(404, "GET", self.connection)
        self._post(self.connection, json={"storeId": OURS})
        expect("it is connected", self._get(self.connection) == {"storeId": OURS})
        say("A second time is refused, and changes nothing")
        self._refused(409, "POST", self.connection, json={"storeId": f"{OURS}-b"})
        expect("it kept the id", self._get(self.connection) == {"storeId": OURS})

    def replace_the_id(self) -> None:
        say("Replace our id: disconnect, then connect")
        self._call("DELETE", self.connection)
        self._post(self.connection, json={"storeId": f"{OURS}-b"})
        expect("it has the new id", self._get(self.connection) == {"storeId": f"{OURS}-b"})

    # ---- Tokens, keys, syncs

    def refresh_the_tokens(self) -> None:
        say("Exchange the refresh token: both tokens are new, the old ones are void")
        old = self.us.token["access_token"]
        self.us = self.consent.refresh()
        expect("the access token is a new one", self.us.token["access_token"] != old)
        self._get("/organization/v1/organization")

    def look_at_our_integration(self) -> None:
        say("See ourselves as the organization sees us, and our API keys")
        (ours,) = self._get(f"{self._integrations}?per_page=1")["data"]
        keys = self._get(f"/v1/integrations/{ours['id']}/keys")["data"]
        print(f"  {len(keys)} keys: we call with OAuth tokens.")
        say("Nobody syncs with us: we are the one who calls, so this is refused")
        self._refused(422, "POST", f"{self._integrations}/{ours['id']}/sync/products")

    def sync_a_platform(self) -> None:
        """Other integrations are not ours to run; with a key that sees the whole organization it goes like this."""
        say("Have a platform's products read, with the organization's own key")
        if not self.options.key:
            return print("  Left out: there is no such key. The 3PL makes one (guide, chapter 3).")
        key = self.crossdock.key(self.options.key)
        found = self.crossdock.call("GET", self._integrations, to=key)["data"]
        for integration in found:
            if runs := self._started(f"{self._integrations}/{integration['id']}", key):
                return self._finished(runs, key)
        print("  Left out: no platform is connected yet. Sign in to the portal, and press “Connect a store”.")

    def _started(self, integration: str, key: requests.Session) -> list[str]:
        """The addresses of the new runs, one for each store; none for an integration that cannot do it."""
        try:
            runs = self.crossdock.call("POST", f"{integration}/sync/products", to=key)["runs"]
        except Refused as refused:
            print(f"  Not this one: {refused}")
            return []
        return [f"{integration}/runs/{run['id']}" for run in runs]

    def _finished(self, runs: list[str], key: requests.Session) -> None:
        end = time.monotonic() + SYNC_SECONDS
        while (run := self.crossdock.call("GET", runs[0], to=key))["finished_at"] is None:
            expect(f"the sync ends within {SYNC_SECONDS} s", time.monotonic() < end)
            time.sleep(1)
        expect(f"the sync ends well, not {run['state']}", run["state"] == "succeeded")

    # ---- A shop

    def create_a_shop(self) -> None:
        say("Create a shop: from now on the token is that shop's, and does not expire")
        shop = {"name": "Our shop", "ext_shop_id": f"{OURS}-shop"}
        key = {"Idempotency-Key": str(uuid.uuid4())}
        made = self._post("/v1/shops", json=shop, headers=key)
        say("The network failed us, so we send the same again: the same answer, and no second shop")
        expect("it is the same shop", self._post("/v1/shops", json=shop, headers=key) == made)
        say("One token, one shop: a second one needs a consent of its own")
        self._refused(403, "POST", "/v1/shops", json=shop | {"ext_shop_id": f"{OURS}-2"})
        self._get(f"/v1/shops/{made['id']}")

    def bring_products(self) -> None:
        say("Bring products: one, then several at once, of which one is wrong and fails alone")
        hat = {"ext_product_id": "p1", "sku": f"{OURS}-BOWLER", "name": "Bowler"}
        made = self._post("/v1/products", json=hat | {"price": {"currency": "EUR", "value": "49.95"}})
        expect("it has no stock", self._get(f"/v1/products/{made['id']}")["inventory"]["in_stock"] == 0)
        more = [{"ext_product_id": "p2", "sku": f"{OURS}-FEZ", "name": "Fez"}, {"ext_product_id": "p3"}]
        results = self._post("/v1/products/bulk", json={"products": more})["results"]
        expect("the good one is there", [one["status"] for one in results] == ["created", "failed"])
        say("Stock is nobody's to set: it follows from what is stored and picked")
        self._refused(422, "PUT", f"/v1/products/{made['id']}", json={"in_stock": 5})
        say("Take one away again")
        self._call("DELETE", f"/v1/products/{made['id']}")
        expect("the other is left", [one["sku"] for one in self._get("/v1/products")["data"]] == [f"{OURS}-FEZ"])

    def clean_up(self) -> None:
        if self.options.keep or not (self.options.auto or _yes("\nUndo everything?")):
            return
        say("End our registration: everything that was issued to us is void at once")
        self.crossdock.call("DELETE", "/v1/integrations/self", to=self.itself)
        self._refused(401, "GET", "/organization/v1/organization")

    # ---- Calls

    @property
    def _integrations(self) -> str:
        return f"/v1/organizations/{self.organization['id']}/integrations"

    def _call(self, method: str, path: str, **options: Any) -> Any:
        return self.crossdock.call(method, path, to=self.us, **options)

    def _get(self, path: str) -> Any:
        return self._call("GET", path)

    def _post(self, path: str, **options: Any) -> Any:
        return self._call("POST", path, **options)

    def _pages(self, path: str) -> list[dict[str, Any]]:
        """All rows of a list: it goes on as long as an answer brings an `offsetToken`."""
        page = self._call("GET", path, params={"limit": 50})
        rows = page["items"]
        while token := page.get("offsetToken"):
            page = self._call("GET", path, params={"limit": 50, "token": token})
            rows += page["items"]
        return rows

    def _refused(self, status: int, method: str, path: str, **options: Any) -> None:
        try:
            self._call(method, path, **options)
        except Refused as refused:
            expect(f"this is refused with {status}, not: {refused}", refused.status == status)
            return print(f"  As it should be: {refused}")
        raise Unexpected(f"{method} {path} should have been refused with {status}.")

    def _choose(self, what: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
        expect(f"there is a {what} to choose", rows)
        if self.options.auto or len(rows) == 1:
            print(f"  The {what} is {rows[0]['name']}.")
            return rows[0]
        print("\n".join(f"  {n}  {row['name']}" for n, row in enumerate(rows, 1)))
        return rows[_number(f"Which {what}?", most=len(rows)) - 1]


def say(step: str) -> None:
    print(f"\n# {step}", flush=True)


def expect(what: str, is_so: object) -> None:
    if not is_so:
        raise Unexpected(f"It should be that {what}.")


def _number(question: str, *, most: int) -> int:
    while not ((answer := input(f"  {question} [1-{most}] ")).isdecimal() and 1 <= int(answer) <= most):
        pass
    return int(answer)


def _yes(question: str) -> bool:
    return input(f"{question} [Y/n] ").strip().lower() in ("", "y", "yes")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python docs/partner", description=__doc__.split("\n")[0])
    parser.add_argument("--portal", help="its address; else that of the demo")
    parser.add_argument("--demo", type=Path, default=Path(".dev/demo.json"), help="what a running demo says of itself")
    parser.add_argument("--auto", action="store_true", help="as the demo's owner, without asking anybody")
    parser.add_argument("--keep", action="store_true", help="leave the registration, the connection and the shop")
    options = parser.parse_args()
    facts = _facts(options)
    options.portal = (options.portal or facts["portal_url"]).rstrip("/")
    options.owner, options.key = facts.get("users", {}).get("owner"), facts.get("integration_key")
    return options


def _facts(options: argparse.Namespace) -> dict[str, Any]:
    """What the demo says of itself; nothing when another portal was named."""
    if options.portal and not options.auto:
        return {}
    try:
        return json.loads(options.demo.read_text())
    except FileNotFoundError:
        sys.exit(f"No demo is running here ({options.demo} is not there). Start one beside this with: make demo")


if __name__ == "__main__":
    main()
