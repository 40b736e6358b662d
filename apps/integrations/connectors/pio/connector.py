"""Pio (AutoStore warehouse): the facts."""

from django.utils.translation import gettext_lazy as _

from ..base import Category, Connector, OAuth2
from .client import PioClient

CONNECTOR = Connector(
    slug="pio",
    name="Pio",
    category=Category.LOGISTICS,
    auth=OAuth2(
        authorize_path="/raw/openapi_auth/authorize_form",
        token_path="/api/v1/oauth/access_token",  # noqa: S106 - a path
        scopes=(),
    ),
    client=PioClient,
    needs=("URL", "CLIENT_ID", "CLIENT_SECRET"),
    summary=_("A robot warehouse (AutoStore) that stores and picks your products."),
    reads=(
        _("How many of each product lie in the warehouse, whenever that changes"),
        _("How far the warehouse is with each order, and the tracking of its parcels"),
        _("The ways in which the warehouse ships"),
    ),
    writes=(
        _("Your products: names, SKUs, barcodes, pictures and measures, so that they can be stored there"),
        _("Your orders that this warehouse is to send: products, shipping method, notes, tags and address"),
        _("A shop for you at the warehouse, and where to tell us about changes"),
    ),
    recommended_grants=("products:read", "inventory:write", "shipments:read", "fulfillments:write"),
)
