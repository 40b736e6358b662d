"""Pio's world at its first start: the 3PL of the vendor's own example, with an admin and a picker."""

from django.conf import settings
from django.db import transaction

from apps.sandbox.pio.models import Integration, Organization, User

ORGANIZATION = "Foo 3PL"
USERS = [
    ("admin@foo-3pl.example", "grid-and-shelf", User.Role.ADMIN),
    ("picker@foo-3pl.example", "pick-pack-repeat", User.Role.PICKER),
]


def fill() -> None:
    """Make the world. The tables must be empty."""
    with transaction.atomic():
        organization = Organization.objects.create(name=ORGANIZATION)
        for email, password, role in USERS:
            User.objects.create(email=email, password=password, role=role, organization=organization)


def register_own_integration() -> None:
    """Register the integration that the environment gives; without a client id there is none."""
    own = settings.OWN_PIO_INTEGRATION
    if own["client_id"]:
        register(**own, name="Crossdock")


def register(*, client_id: str, client_secret: str, redirect_uris: list[str], name: str) -> None:
    """Register an integration, or change the one with that id and let it work again."""
    details = {"client_secret": client_secret, "callback_urls": redirect_uris, "name": name, "deactivated_at": None}
    Integration.objects.update_or_create(pk=client_id, defaults=details)
