"""Vendure, an open-source shop platform that the store owner or their agency runs."""

from collections.abc import Mapping

import requests
from django.utils.translation import gettext_lazy as _

from ..base import Category, Connector, Keys, Question, Rejected, Unauthorized
from .client import VendureClient


def sign_in(session: requests.Session, address: str, answers: Mapping[str, str]) -> dict[str, str]:
    """The API key if one was given, else the session token of a login; the password is not kept.

    Raises Rejected (incomplete_answers), Unauthorized (forbidden: a good key that may not read channels and
    products), or what the calls raise.
    """
    secrets = _secrets(session, address, answers)
    session.headers.update(headers(secrets))
    client = VendureClient(session, address=address)
    client.organization()
    if not client.can_read():
        raise Unauthorized("It may not read channels and products.", code="forbidden")
    return secrets


def headers(secrets: Mapping[str, str]) -> dict[str, str]:
    """The defaults of Vendure's `apiKeyHeaderKey`, and of its `tokenMethod` bearer."""
    if key := secrets.get("api_key"):
        return {"vendure-api-key": key}
    return {"Authorization": f"Bearer {secrets['session_token']}"}


def _secrets(session: requests.Session, address: str, answers: Mapping[str, str]) -> dict[str, str]:
    if key := answers.get("api_key", "").strip():
        if not (key.isascii() and key.isprintable()):
            raise Unauthorized("The key has characters that no key has.")
        return {"api_key": key}
    username, password = answers.get("username"), answers.get("password")
    if not (username and password):
        raise Rejected("Neither a key nor a login.", code="incomplete_answers")
    return {"session_token": VendureClient(session, address=address).log_in(username, password)}


CONNECTOR = Connector(
    slug="vendure",
    name="Vendure",
    category=Category.SHOP,
    auth=Keys(
        questions=(
            Question(
                "address",
                _("Address of your shop"),
                kind="url",
                hint=_("Where you log in to manage it, like https://shop.example.com"),
            ),
            Question(
                "api_key",
                _("API key"),
                kind="password",
                hint=_(
                    "Made in Vendure, with a role that may read the settings, and read and update the catalog and "
                    "the orders."
                ),
                required=False,
            ),
            Question(
                "username",
                _("Or: user name or e-mail of an administrator"),
                hint=_("Only needed when you have no API key."),
                required=False,
            ),
            Question(
                "password",
                _("Password of that administrator"),
                kind="password",
                hint=_("Used once, to log in. We do not keep it."),
                required=False,
            ),
        ),
        sign_in=sign_in,
        headers=headers,
    ),
    client=VendureClient,
    needs=("URL",),
    summary=_("For shops that run on Vendure, at an address of their own."),
    reads=(
        _("The names of your sellers and channels"),
        _("Your products: SKU, name, price, picture and stock"),
        _("Your paid orders: what was bought, who bought it, and where it goes"),
    ),
    writes=(
        _("How many pieces of each product may be sold, when its stock here changes"),
        _("What of an order was shipped, and how to track it"),
    ),
    recommended_grants=("products:read", "inventory:read"),
)
