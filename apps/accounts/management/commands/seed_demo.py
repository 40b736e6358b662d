"""The people and the organization of the demo. Runs any number of times; prints who may log in, as JSON."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from apps.accounts.models import Membership, Organization, Role, User

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
        users = {
            "owner": {"email": OWNER, "password": PASSWORD},
            "admin": {"email": ADMIN, "password": PASSWORD},
        }
        self.stdout.write(json.dumps({"users": users, "organization_id": str(membership.organization_id)}))

    def _user(self, email: str, **fields: Any) -> User:
        return User.objects.filter(email=email).first() or User.objects.create_user(email, PASSWORD, **fields)
