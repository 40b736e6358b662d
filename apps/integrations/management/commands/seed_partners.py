"""The demo's registered application and custom integration. Runs any number of times; prints their secrets as JSON.

A secret is shown once, so it cannot be read back from the database: the caller keeps the two and hands them in.
"""

import json
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from apps.accounts.models import Organization, digest
from apps.api.grants import CONSENTED
from apps.integrations.connectors.base import Category
from apps.integrations.models import ApiKey, Application, Integration, PartnerConnector

NAME, CALLBACK_URL = "Example Partner", "http://127.0.0.1:8200/callback"
CUSTOM_NAME = "Example ERP"


class Command(BaseCommand):
    help = "Make the demo's registered application and custom integration. Only with DEMO=1, after seed_demo."

    def add_arguments(self, parser: CommandParser) -> None:
        for name in ("organization", "client-secret", "integration-key"):
            parser.add_argument(f"--{name}", required=True)

    @transaction.atomic
    def handle(self, *args: Any, organization: str, client_secret: str, integration_key: str, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("The secrets it sets are written to a file, so it only runs with DEMO=1.")
        application = _application(client_secret)
        integration = _integration(Organization.objects.get(pk=organization))
        _give_key(integration, integration_key)
        partner = {"client_id": application.client_id, "client_secret": client_secret, "callback_url": CALLBACK_URL}
        facts = {"partner": partner, "integration_key": integration_key, "integration_id": str(integration.pk)}
        self.stdout.write(json.dumps(facts))


def _application(secret: str) -> Application:
    """The OAuth client that a partner would have registered."""
    mine = Application.objects.filter(connector__name=NAME, redirect_uris=CALLBACK_URL, connector__deactivated_at=None)
    application = mine.first() or Application(
        connector=_connector(kind=PartnerConnector.Kind.REGISTERED, name=NAME, email="dev@partner.example"),
        name=NAME,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        redirect_uris=CALLBACK_URL,
    )
    if not check_password(secret, application.client_secret):
        application.client_secret = secret  # the toolkit hashes it when saving
        application.save()
        application.connector.secrets = {"client_secret": secret}
        application.connector.save()
    return application


def _integration(organization: Organization) -> Integration:
    """A custom one, which sees all of its organization, so that its key can show much of the API."""
    if known := Integration.objects.filter(organization=organization, partner__name=CUSTOM_NAME).first():
        return known
    connector = _connector(
        kind=PartnerConnector.Kind.CUSTOM,
        name=CUSTOM_NAME,
        organization=organization,
        category=Category.ERP,
        org_wide_access=True,
        grants=list(CONSENTED),
    )
    return Integration.objects.create(
        organization=organization,
        partner=connector,
        connector=str(connector.pk),
        name=CUSTOM_NAME,
        state=Integration.State.CONNECTED,
        grants=list(CONSENTED),
        org_wide_access=True,
        applied_version=connector.version,
    )


def _connector(**fields: Any) -> PartnerConnector:
    connector = PartnerConnector(**fields)
    connector.secrets = {}
    connector.save()
    return connector


def _give_key(integration: Integration, token: str) -> None:
    ApiKey.objects.get_or_create(
        token_digest=digest(token),
        defaults={
            "organization": integration.organization,
            "kind": ApiKey.Kind.INTEGRATION,
            "integration": integration,
            "name": "Demo",
            "grants": integration.grants,
            "prefix": token[:10],
        },
    )
