"""Connectors that are rows, integrations, the permissions they hold, and the keys and tokens we give out."""

from .integrations import Integration, IntegrationQuerySet, OwnQuerySet, ReachableStore, SecretSettings
from .keys import LONGEST_OVERLAP, ApiKey
from .oauth import AccessToken, Application, Authorization, Grant, IDToken, RefreshToken
from .partners import PartnerConnector
from .platforms import ApplicationToken, AuthorizationAttempt, Credential
from .revisions import Revision

__all__ = [
    "LONGEST_OVERLAP",
    "AccessToken",
    "ApiKey",
    "Application",
    "ApplicationToken",
    "Authorization",
    "AuthorizationAttempt",
    "Credential",
    "Grant",
    "IDToken",
    "Integration",
    "IntegrationQuerySet",
    "OwnQuerySet",
    "PartnerConnector",
    "ReachableStore",
    "RefreshToken",
    "Revision",
    "SecretSettings",
]
