"""Pairs of SKUs: what one side calls by the first, the other calls by the second (Pipe17: contracts 2.11)."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization, TenantQuerySet
from apps.integrations.models import Integration
from apps.tenancy import SameOrganization


class SkuMapping(models.Model):
    """One version of an integration's whole mapping. The one with the highest number holds; none is ever changed.

    `pairs` is a list of [first, second]. Of a shop or an ERP the first is its SKU and the second ours; of a warehouse
    the first is ours and the second its own. Orders go from first to second, stock and fulfillments back (behaviour
    66).
    """

    class Origin(models.TextChoices):
        LINE = "line", _("Typed")
        FILE = "file", _("File")
        API = "api", _("API")
        WORKLIST = "worklist", _("Worklist")
        ROLLBACK = "rollback", _("Rolled back")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    integration = models.ForeignKey(Integration, models.CASCADE, related_name="sku_mappings", db_index=False)
    number = models.PositiveIntegerField()
    pairs = models.JSONField(default=list)
    origin = models.CharField(max_length=20, choices=Origin)
    note = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    actor = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)
    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "integration", "number"], name="one_mapping_per_version_of_an_integration"
            ),
            SameOrganization("integration", name="a_mappings_integration_is_of_its_organization"),
        ]

    def __str__(self) -> str:
        return f"{self.integration}, version {self.number}"


class SkuPair(models.Model):
    """One pair of the mapping that holds, where statements look it up. Each SKU has one partner, either way."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    integration = models.ForeignKey(Integration, models.CASCADE, related_name="sku_pairs", db_index=False)
    first = models.CharField(max_length=255)
    second = models.CharField(max_length=255)
    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["first"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "integration", "first"], name="one_pair_per_first_sku"),
            models.UniqueConstraint(fields=["organization", "integration", "second"], name="one_pair_per_second_sku"),
            SameOrganization("integration", name="a_pairs_integration_is_of_its_organization"),
        ]

    def __str__(self) -> str:
        return f"{self.first}:{self.second}"
