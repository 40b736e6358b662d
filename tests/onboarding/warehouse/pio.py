"""The simulated Pio, over HTTP, as the tests of connecting a warehouse meet it: an integration of the test's own."""

import json
import re
from dataclasses import dataclass
from typing import Any

import requests
from django.test import Client as Browser

from apps.accounts.models import User
from apps.integrations.models import AuthorizationAttempt
from apps.onboarding import connecting
from apps.shops.models import Connection
from tests.factories import make_actor
from tests.sandbox.driver import Sandbox
from tests.sandbox.pio.driver import Client, logged_in


@dataclass
class Pio:
    """`portal` is the address of ours that Pio knows; `admin` and `picker` log in at a warehouse of this test's own."""

    sandbox: Sandbox
    client: Client
    portal: str
    admin: tuple[str, str]
    picker: tuple[str, str]

    def shops(self) -> list[dict[str, Any]]:
        """What is open there for us: the id of ours, and where its hooks point, by event."""
        shops = self.sandbox.control("GET", "state").json()["pio"]["shops"]
        ours = [shop for shop in shops if shop["integration"] == self.client.client_id and shop["active"]]
        hooks = [{hook["event_type"]: hook["target_url"] for hook in shop["hooks"]} for shop in ours]
        return [{"ext_shop_id": shop["ext_shop_id"], "hooks": its} for shop, its in zip(ours, hooks, strict=True)]

    def products(self) -> dict[str, dict[str, Any]]:
        """The products our shops have there, by SKU."""
        shops = self.sandbox.control("GET", "state").json()["pio"]["shops"]
        ours = {shop["id"] for shop in shops if shop["integration"] == self.client.client_id}
        lines = self.sandbox.control("GET", "pio/products").text.splitlines()
        known = [product for product in map(json.loads, lines) if {m["shop"] for m in product["mappings"]} & ours]
        return {product["sku"]: product for product in known}

    def move(self, reason: str, sku: str, quantity: int) -> None:
        """Somebody stores, picks or counts at the port."""
        product = self.products()[sku]["id"]
        self.sandbox.control("POST", f"pio/{reason}", json={"product": product, "quantity": quantity})

    def revoke(self, connection: Connection) -> None:
        """Somebody takes our permission back there."""
        shops = self.sandbox.control("GET", "state").json()["pio"]["shops"]
        ours = [shop for shop in shops if shop["integration"] == self.client.client_id and shop["active"]]
        [shop] = [one["id"] for one in ours if one["ext_shop_id"] == connection.ext_shop_id]
        self.sandbox.control("POST", "pio/revoke", json={"shop": shop})

    def approve(
        self, address: str, *, account: tuple[str, str] | None = None, decision: str = "approve"
    ) -> requests.Response:
        """Somebody logs in there at the address they were sent to, and decides: the answer of Pio's page."""
        with logged_in(self.sandbox, account or self.admin) as browser:
            return browser.post(address.removeprefix(self.sandbox.url), {"decision": decision})

    def log_in(self, browser: Browser, path: str) -> Any:
        """Press the button that leads to Pio, approve there, and come back: the answer of our callback."""
        away = browser.post(path)
        assert away.status_code == 302, away.content
        back = self.approve(away.url)
        assert back.status_code == 302, back.text
        return browser.get(re.sub(f"^{re.escape(self.portal)}", "", back.headers["Location"]))

    def permitted(self, browser: Browser) -> Connection:
        """A warehouse's draft with permission; only Connect is left to press."""
        began = browser.post("/connect/warehouse/", {"platform": "pio"})
        answer = self.log_in(browser, began.url)
        assert answer.status_code == 302, answer.content
        draft = Connection.objects.get(pk=AuthorizationAttempt.objects.latest("created_at").subject)
        assert answer.url == f"/connect/{draft.pk}/check/"
        return draft

    def connected(self, browser: Browser, user: User) -> Connection:
        draft = self.permitted(browser)
        connecting.connect(draft, by=make_actor(user))
        return Connection.objects.with_everything().get(pk=draft.pk)
