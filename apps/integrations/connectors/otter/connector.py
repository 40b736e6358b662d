"""Otter (CloudKitchens Public API): the facts."""

from django.utils.translation import gettext_lazy as _

from ..base import Category, Connector, OAuth2
from .client import OtterClient

CONNECTOR = Connector(
    slug="otter",
    name="Otter",
    category=Category.SHOP,
    auth=OAuth2(
        authorize_path="/v1/auth/oauth2/authorize",
        token_path="/v1/auth/token",  # noqa: S106 - a path
        scopes=("organization.read", "organization.service_integration"),
        application_scopes=("catalog",),
    ),
    client=OtterClient,
    needs=("URL", "CLIENT_ID", "CLIENT_SECRET"),
    summary=_("Brands and stores that sell through Otter."),
    reads=(
        _("Your brands and stores: names and addresses"),
        _("The products of the store you choose: names, codes, prices, pictures and quantities"),
    ),
    writes=(_("At Otter, a note that this store is connected to us, and under which store ID"),),
    recommended_grants=("products:read", "inventory:read"),
)
