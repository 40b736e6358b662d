"""The simulated Otter as the tests of the wizard meet it: over HTTP, with an application of the test's own."""

import re
import secrets
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import Brand, Organization, Store, User
from apps.integrations.connectors.otter.client import OtterClient
from apps.integrations.models import Integration
from apps.integrations.sessions import store_token
from apps.shops.models import Connection
from tests import factories
from tests.sandbox.driver import REDIRECT, Application, Sandbox

CALLBACK = "http://testserver/connect/callback/"
ACCOUNTS = {"hats": "Great Hats", "shoes": "Great Shoes", "gloves": "Great Gloves"}


class Killed(BaseException):
    """What happens to a process: nothing catches it."""


@dataclass
class Platform:
    """`world` is the simulated organizations by name, with their brands and stores, as they were at the start."""

    sandbox: Sandbox
    application: Application
    world: dict[str, dict]

    def held(self) -> dict[str, str]:
        """What the platform remembers of our connections: our id of a store, by the store's name."""
        state = self.sandbox.control("GET", "state").json()
        stores = [store for o in state["organizations"] for brand in o["brands"] for store in brand["stores"]]
        names = {store["id"]: store["name"] for store in stores}
        ours = [c for c in state["connections"] if c["client_id"] == self.application.client_id]
        return {names[connection["store"]]: connection["storeId"] for connection in ours}

    def calls(self, method: str = "", path: str = "") -> list[str]:
        """The calls made since `forget_calls`, as `GET /path`; only those of a method, with this in their path."""
        entries = self.sandbox.control("GET", "requests").json()["requests"]
        return [f"{e['method']} {e['path']}" for e in entries if method in {"", e["method"]} and path in e["path"]]

    def writes(self) -> list[str]:
        """The calls that changed connections since `forget_calls`: POST and DELETE, in their order."""
        return [call.split()[0] for call in self.calls(path="/connection") if not call.startswith("GET")]

    def forget_calls(self) -> None:
        self.sandbox.control("DELETE", "requests")

    def hold(self, store: Store, ext_shop_id: str) -> None:
        """Somebody connects the store to our application, under this id, without telling us."""
        answer = self._connection(store, "POST", json={"storeId": ext_shop_id})
        assert answer.status_code == 204, answer.text

    def release(self, store: Store) -> None:
        """Somebody disconnects the store at the platform, without telling us."""
        assert self._connection(store, "DELETE").status_code == 204

    def _connection(self, store: Store, method: str, **options: Any) -> Any:
        path = f"/organization/v1/organization/brands/{store.brand.ext_id}/stores/{store.ext_id}/connection"
        return self.application.call(method, path, token=self.application.user_token(), **options)

    def permit(self, integration: Integration, *, who: str = "hats") -> None:
        """The owner of the account gives permission again."""
        integration.connect(integration.account_ref, integration.account_name)
        store_token(integration, {"access_token": self.application.user_token(who)})

    def integration(self, organization: Organization, *, who: str = "hats") -> Integration:
        """One that this account's owner has given permission to."""
        account = self.world[ACCOUNTS[who]]
        return factories.make_integration(
            organization=organization,
            account_ref=account["id"],
            account_name=account["name"],
            secrets={"access_token": self.application.user_token(who)},
        )

    def store(self, integration: Integration, name: str = "Great Hats Online") -> Store:
        """A simulated store, as it lands in our tables."""
        brands = self.world[integration.account_name]["brands"]
        brand, store = next((b, s) for b in brands for s in b["stores"] if s["name"] == name)
        told = {"organization": integration.organization, "source": integration.source}
        landed, _ = Brand.objects.get_or_create(**told, ext_id=brand["id"], defaults={"name": brand["name"]})
        known = {"organization": integration.organization, "brand": landed, "ext_id": store["id"]}
        return Store.objects.get_or_create(**known, defaults={"name": name})[0]

    def draft(
        self, user: User, *, integration: Integration | None = None, store: str = "Great Hats Online", **fields: Any
    ) -> Connection:
        """A wizard of this user's in which everything is chosen; only Connect is left to press."""
        integration = integration or self.integration(user.organization)
        chosen = self.store(integration, store)
        return factories.make_draft(
            integration=integration,
            created_by=user,
            brand=chosen.brand,
            store=chosen,
            **{"name": store, "ext_shop_id": "hats-1"} | fields,
        )


def register(sandbox: Sandbox) -> Application:
    """An application of the sandbox that sends people back to the tests' portal."""
    made = Application(sandbox, client_id=secrets.token_hex(8), secret=secrets.token_hex(16))
    known = {"client_id": made.client_id, "client_secret": made.secret, "redirect_uris": [REDIRECT, CALLBACK]}
    sandbox.control("POST", "applications", json=known)
    return made


def seen_at_the_start(sandbox: Sandbox) -> dict[str, dict]:
    organizations = sandbox.control("GET", "state").json()["organizations"]
    return {organization["name"]: organization for organization in organizations}


def offer(sandbox: Sandbox, *, world: dict[str, dict], settings: Any) -> Platform:
    """Let store owners choose this sandbox as Otter, by an application made for this test."""
    application = register(sandbox)
    known = {"URL": sandbox.url, "CLIENT_ID": application.client_id, "CLIENT_SECRET": application.secret}
    settings.CONNECTOR_ENVIRONMENT = settings.CONNECTOR_ENVIRONMENT | {"otter": known}
    settings.PUBLIC_URL = "http://testserver"
    return Platform(sandbox, application, world)


def consent_at(platform: Platform, address: str, *, who: str = "hats", decision: str = "approve") -> str:
    """Decide on the platform's page at this address; the path and query that the browser is sent back to."""
    path = address.removeprefix(platform.sandbox.url)
    answer = platform.sandbox.browser(who).post(path, {"decision": decision})
    assert answer.status_code == 302, answer.text
    return re.sub(r"^http://testserver", "", answer.headers["Location"])


def die(monkeypatch: pytest.MonkeyPatch, method: str, *, when: str, of: type = OtterClient) -> None:
    """Our process is killed `before` or `after` its next call of this method of the platform's client."""
    real = getattr(of, method)

    def killed(self: Any, *args: Any) -> Any:
        if when == "after":
            real(self, *args)
        monkeypatch.setattr(of, method, real)
        raise Killed

    monkeypatch.setattr(of, method, killed)


def fail(monkeypatch: pytest.MonkeyPatch, method: str, error: Exception, *, when: str, times: int = 1) -> None:
    """The next calls of this method end with the error, `before` they reach the platform or `after` it has acted."""
    real = getattr(OtterClient, method)
    left = iter(range(times))

    def failing(self: OtterClient, *args: Any) -> Any:
        if next(left, None) is None:
            return real(self, *args)
        if when == "after":
            real(self, *args)
        raise error

    monkeypatch.setattr(OtterClient, method, failing)


def let_lease_run_out(connection: Connection) -> None:
    """As if nobody had come back to it for a minute."""
    Connection.objects.filter(pk=connection.pk).update(lease_until=timezone.now() - timezone.timedelta(seconds=1))
