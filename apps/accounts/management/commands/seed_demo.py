"""The people, the organization and a brand of the demo. Runs any number of times; prints who may log in, as JSON."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from apps.accounts.models import Brand, Membership, Organization, Role, Store, User

PASSWORD = "demo-demo-demo"  # noqa: S105 - the demo's own, on loopback, printed at its start
OWNER, ADMIN = "owner@great-hats.example", "admin@foo-3pl.example"


class Command(BaseCommand):
    help = "Make the demo's organization, its owner and the 3PL's admin. Only with DEMO=1."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This makes users with a known password, so it only runs with DEMO=1.")
        owner = self._user(OWNER)
        self._user(ADMIN, is_staff=True, is_superuser=True)
        membership = Membership.objects.filter(user=owner).first() or Membership.objects.create(
            user=owner, role=Role.OWNER, organization=Organization.objects.create(name="Great Hats")
        )
        self._brand(membership.organization)
        users = {
            "owner": {"email": OWNER, "password": PASSWORD},
            "admin": {"email": ADMIN, "password": PASSWORD},
        }
        self.stdout.write(json.dumps({"users": users, "organization_id": str(membership.organization_id)}))

    def _user(self, email: str, **fields: Any) -> User:
        return User.objects.filter(email=email).first() or User.objects.create_user(email, PASSWORD, **fields)

    def _brand(self, organization: Organization) -> None:
        """One that no platform told us about, so that there is something to connect before the first import."""
        known = {"organization": organization, "ext_id": "demo"}
        brand, _ = Brand.objects.get_or_create(**known, source="", defaults={"name": "Hat Boutique"})
        for city in ("Delft", "Ghent"):
            Store.objects.get_or_create(
                organization=organization,
                brand=brand,
                ext_id=city.lower(),
                defaults={"name": f"Hat Boutique {city}", "address": f"Market 1, {city}"},
            )
