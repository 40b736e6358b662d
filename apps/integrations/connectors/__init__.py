"""The connectors this deployment knows, in the order of the INTEGRATION_CONNECTORS setting."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from .base import Connector


class UnknownConnector(LookupError):
    """No connector has that slug."""


@cache
def all_connectors() -> dict[str, Connector]:
    return {connector.slug: connector for connector in map(import_string, settings.INTEGRATION_CONNECTORS)}


def get_connector(slug: str) -> Connector:
    try:
        return all_connectors()[slug]
    except KeyError:
        raise UnknownConnector(slug) from None


def environment(connector: Connector) -> dict[str, str]:
    """What the operator set for this connector: URL, CLIENT_ID, CLIENT_SECRET; an unset one is empty."""
    return settings.CONNECTOR_ENVIRONMENT[connector.slug]


def missing(connector: Connector) -> list[str]:
    """The environment variables without which this connector is not offered, e.g. OTTER_CLIENT_ID."""
    known = environment(connector)
    return [f"{connector.slug.upper()}_{key}" for key in connector.needs if not known[key]]


def offered() -> list[Connector]:
    """The connectors a store owner can choose from."""
    return [connector for connector in all_connectors().values() if not missing(connector)]
