"""Otter (CloudKitchens Public API): the facts."""

from django.utils.translation import gettext_lazy as _

from ..base import Category, Connector, OAuth2, StockTerms
from .client import OtterClient

CONNECTOR = Connector(
    slug="otter",
    name="Otter",
    category=Category.SHOP,
    auth=OAuth2(
        authorize_path="/v1/auth/oauth2/authorize",
        token_path="/v1/auth/token",  # noqa: S106 - a path
        scopes=("organization.read", "organization.service_integration"),
        application_scopes=("catalog", "manager.menus", "manager.orders"),
    ),
    client=OtterClient,
    needs=("URL", "CLIENT_ID", "CLIENT_SECRET"),
    summary=_("Brands and stores that sell through Otter."),
    reads=(
        _("Your brands and stores: names and addresses"),
        _("The products of the store you choose: names, codes, prices, pictures and quantities"),
        _("Its orders, as soon as they are placed: what was bought, and where it is to go"),
    ),
    writes=(
        _("At Otter, a note that this store is connected to us, and under which store ID"),
        _("Which products are out of stock, so that Otter stops selling them until they are there again"),
        _("Which orders have been handed to a carrier"),
    ),
    recommended_grants=("products:read", "inventory:read"),
    # 16 calls a minute, as published for suspending (contracts 3.4: per store; we keep to it for the whole account).
    stock=StockTerms(batch=50, per_second=16 / 60, burst=16, counts_pieces=False),
    signed_with=("WEBHOOK_SECRET", "FORMER_WEBHOOK_SECRET"),  # of the endpoint in Otter's developer portal
)
