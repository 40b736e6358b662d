"""The demo's registered application, custom integration and keys. Runs any number of times; prints them as JSON.

A secret is shown once and cannot be read back from the database: the caller keeps them, and hands them in.
"""

import json
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from apps.accounts.models import Organization, Role, User, digest
from apps.api.grants import CONSENTED
from apps.audit.trail import Actor
from apps.integrations import customizing, keying
from apps.integrations.connectors.base import Category
from apps.integrations.fields import check_definition
from apps.integrations.models import ApiKey, Application, Integration
from apps.integrations.registering import register

PARTNER, CALLBACK_URL = "Example Partner", "http://127.0.0.1:8200/callback"
SETTINGS = [
    {"key": "warehouse", "title": "Warehouse", "type": "text", "default": "Main"},
    {
        "key": "export_at",
        "title": "Export at",
        "type": "select",
        "default": "night",
        "options": [{"title": "Every night", "value": "night"}, {"title": "Every hour", "value": "hour"}],
    },
    {"key": "password", "title": "Password", "type": "secret"},
]
CUSTOM = {
    "name": "Example ERP",
    "category": Category.ERP,
    "description": "Sees all of the organization, so that its key can show much of the API.",
    "grants": sorted(CONSENTED),
    "settings_fields": check_definition(SETTINGS),
    "org_wide_access": True,
}
NEEDED = ("organization", "client_secret", "integration_key", "connector_key", "user_key")
SEED = Actor("the demo")


class Command(BaseCommand):
    help = "Make the demo's registered application, custom integration and keys. Only with DEMO=1, after seed_demo."

    def add_arguments(self, parser: CommandParser) -> None:
        for name in NEEDED:
            parser.add_argument(f"--{name.replace('_', '-')}", required=True)

    @transaction.atomic
    def handle(self, *args: Any, **given: str) -> None:
        if not settings.DEMO:
            raise CommandError("The secrets it sets are written to a file, so it only runs with DEMO=1.")
        organization = Organization.objects.get(pk=given["organization"])
        owner = User.objects.filter(membership__organization=organization, membership__role=Role.OWNER).first()
        integration = _integration(organization, by=owner)
        keys = {"integration_key": integration, "connector_key": integration.partner, "user_key": owner}
        for name, whose in keys.items():
            _give_key(given[name], **{name.removesuffix("_key"): whose})
        partner = {"client_secret": given["client_secret"], "callback_url": CALLBACK_URL}
        partner["client_id"] = _application(given["client_secret"]).client_id
        facts = {name: given[name] for name in keys}
        facts |= {"integration_id": str(integration.pk), "connector_id": str(integration.partner_id)}
        self.stdout.write(json.dumps({"partner": partner} | facts))


def _application(secret: str) -> Application:
    """The OAuth client that a partner would have registered."""
    mine = Application.objects.filter(name=PARTNER, redirect_uris=CALLBACK_URL, connector__deactivated_at=None)
    application = mine.first()
    if application is None:
        connector, _ = register(PARTNER, email="dev@partner.example", callback_url=CALLBACK_URL, actor=SEED)
        application = mine.get(connector=connector)
    if not check_password(secret, application.client_secret):
        application.client_secret = secret  # the toolkit hashes it when saving
        application.save()
        application.connector.secrets = {"client_secret": secret}
        application.connector.save()
    return application


def _integration(organization: Organization, *, by: User | None) -> Integration:
    """The custom one. Its first keys are replaced by those whose secrets the caller keeps."""
    mine = Integration.objects.filter(organization=organization, partner__name=CUSTOM["name"], deleted_at=None)
    if known := mine.filter(partner__deactivated_at=None).first():
        return known
    made = customizing.customize(organization, definition=CUSTOM, by=by, actor=SEED)
    made.integration_key.key.delete()
    made.connector_key.key.delete()
    return made.integration


def _give_key(secret: str, **belongs: Any) -> None:
    """A key with this secret to what it belongs to, unless there is one. One that was ended while trying comes back."""
    known = ApiKey.objects.by_token(secret)
    if known.live().filter(**belongs).exists():
        return
    known.delete()
    (whose,) = belongs.values()
    grants = sorted(CONSENTED) if isinstance(whose, User) else None
    key = keying.issue(whose, name="Demo", by=None, actor=SEED, grants=grants).key
    key.token_digest, key.prefix = digest(secret), secret[: keying.SHOWN]
    key.save()
