"""Where goods lie."""

import uuid
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization
from apps.integrations.models import Integration, OwnQuerySet
from apps.tenancy import SameOrganization


class LocationQuerySet(OwnQuerySet):
    def for_principal(self, request: Any) -> Self:
        """An organization's own locations and the 3PL's; a machine that may see its own rows only: its own."""
        own = getattr(request.user, "own", None)
        organization = request.user.organization
        if organization is None:
            return self.none()
        if own is not None:
            return self.filter(organization=organization, integration=own)
        return self.filter(Q(organization=organization) | Q(organization=None))

    def active(self) -> Self:
        return self.filter(is_active=True)

    def counted(self) -> Self:
        """Those whose stock may be sold."""
        return self.active().filter(excluded_from_totals=False)

    def manual(self) -> Self:
        """Those no integration fulfils from: people of the 3PL store and pick there, in the portal."""
        return self.filter(integration=None).exclude(kind=Location.Kind.EXTERNAL)


class Location(models.Model):
    """A grid, a shelf, or a place somebody else looks after (Pio: contracts 1.6; Pipe17: 2.7).

    It is the 3PL's own, for goods of every customer, when it has no organization. `integration` is the one that
    fulfils from it, and the only one that may report its stock; none in the manual warehouse. `ext_location_id` is
    what that integration calls it (behaviour 69). Stock in one that is not active, or `excluded_from_totals`, is
    shown, but not sold; a paused one gets no new orders. `counted_version` and `counted_at` are those of the newest
    count of all that lies there: it was one of each level, which need not be written down at each.
    """

    class Kind(models.TextChoices):
        GRID = "grid", _("Grid")
        SHELF = "shelf", _("Shelf")
        EXTERNAL = "external", _("External")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, null=True, blank=True, related_name="locations")
    integration = models.ForeignKey(Integration, models.PROTECT, null=True, blank=True, related_name="locations")
    ext_location_id = models.CharField(max_length=255, blank=True)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.SHELF)
    name = models.CharField(max_length=200)
    address = models.TextField(blank=True)
    is_active = models.BooleanField(default=True)
    is_paused = models.BooleanField(default=False)
    excluded_from_totals = models.BooleanField(default=False)
    counted_version = models.BigIntegerField(null=True, blank=True, editable=False)
    counted_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    objects = LocationQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "integration", "ext_location_id"],
                condition=Q(integration__isnull=False),
                name="a_location_is_made_once_per_integration",
            ),
            models.UniqueConstraint(
                fields=["organization", "name"], nulls_distinct=False, name="one_location_per_name"
            ),
            models.CheckConstraint(
                condition=Q(integration__isnull=True) | Q(organization__isnull=False),
                name="a_location_of_an_integration_has_its_organization",
            ),
            models.UniqueConstraint(fields=["id", "organization"], name="a_location_and_its_organization"),
            SameOrganization("integration", name="a_locations_integration_is_of_its_organization"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_counted(self) -> bool:
        """Whether what lies there may be sold, as `LocationQuerySet.counted` has it."""
        return self.is_active and not self.excluded_from_totals

    @property
    def is_manual(self) -> bool:
        """Whether people of the 3PL store and pick there."""
        return self.integration_id is None and self.kind != self.Kind.EXTERNAL

    def may_be_counted_by(self, integration: Integration) -> bool:
        """Whether it reports this place's stock: it fulfils from it, or it is external and names nobody who does.

        Only in its own organization (Pipe17: contracts 2.7; the manual warehouse is people's, behaviour 60).
        """
        free = self.integration_id is None and self.kind == self.Kind.EXTERNAL
        return self.organization_id == integration.organization_id and (free or self.integration_id == integration.pk)
