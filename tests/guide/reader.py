"""What a reader of the guide has in hand before a chapter: the values of its variables."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import browser
import crossdock

from apps.api.grants import CONSENTED


@dataclass
class Reader:
    """Fresh for each chapter, since tokens are for one shop and codes for one exchange. `facts` are demo.json's."""

    facts: dict[str, Any]
    registered: dict[str, str]
    callback: browser.Callback

    def variables(self, text: str) -> dict[str, str]:
        """Those that the text mentions."""
        return {name: value(self) for name, value in KNOWN.items() if f"${name}" in text}

    def came_back(self, consent: crossdock.Consent) -> dict[str, str]:
        browser.agree(consent.address, **self.facts["users"]["owner"])
        return self.callback.wait()

    @cached_property
    def portal(self) -> crossdock.Crossdock:
        return crossdock.Crossdock(self.facts["portal_url"])

    @cached_property
    def asked(self) -> tuple[crossdock.Consent, str]:
        """A consent, and a code that nobody has exchanged."""
        consent = self.portal.consent(self.registered, list(CONSENTED))
        return consent, self.came_back(consent)["code"]

    @cached_property
    def session(self) -> Any:
        consent = self.portal.consent(self.registered, list(CONSENTED))
        return consent.tokens(self.came_back(consent))

    def named(self, path: str, name: str) -> str:
        """The id of the one of that name in a list."""
        rows = self.portal.call("GET", path, to=self.session, params={"limit": 100})["items"]
        return next(row["id"] for row in rows if row["name"] == name)

    @cached_property
    def brand(self) -> str:
        return self.named("/organization/v1/organization/brands", "Hat Boutique")

    @cached_property
    def store(self) -> str:
        return self.named(f"/organization/v1/organization/brands/{self.brand}/stores", "Hat Boutique Delft")

    @cached_property
    def platform(self) -> str:
        """The integration of the platform that the owner has connected."""
        path = f"/v1/organizations/{self.facts['organization_id']}/integrations"
        rows = self.portal.call("GET", path, to=self.portal.key(self.facts["integration_key"]))["data"]
        return next(row["id"] for row in rows if row["name"].startswith("Otter"))


KNOWN: dict[str, Callable[[Reader], str]] = {
    "PORTAL": lambda reader: reader.facts["portal_url"],
    "API": lambda reader: reader.facts["api_url"],
    "KEY": lambda reader: reader.facts["integration_key"],
    "USER_KEY": lambda reader: reader.facts["user_key"],
    "CONNECTOR_KEY": lambda reader: reader.facts["connector_key"],
    "CONNECTOR": lambda reader: reader.facts["connector_id"],
    "ORGANIZATION": lambda reader: reader.facts["organization_id"],
    "INTEGRATION": lambda reader: reader.facts["integration_id"],
    "CLIENT_ID": lambda reader: reader.registered["client_id"],
    "CLIENT_SECRET": lambda reader: reader.registered["client_secret"],
    "CALLBACK_URL": lambda reader: reader.registered["callback_url"],
    "CODE": lambda reader: reader.asked[1],
    "VERIFIER": lambda reader: reader.asked[0].verifier,
    "TOKEN": lambda reader: reader.session.token["access_token"],
    "REFRESH_TOKEN": lambda reader: reader.session.token["refresh_token"],
    "PLATFORM": lambda reader: reader.platform,
    "BRAND": lambda reader: reader.brand,
    "STORE": lambda reader: reader.store,
}
