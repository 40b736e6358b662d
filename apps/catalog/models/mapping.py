"""Pairs of SKUs: what one side calls by the first, the other calls by the second (Pipe17: contracts 2.11)."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization, TenantQuerySet
from apps.integrations.models import Integration, OwnQuerySet
from apps.tenancy import SameOrganization

from .products import Listing


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
        verbose_name = _("SKU mapping")
        verbose_name_plural = _("SKU mappings")
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
        verbose_name = _("SKU pair")
        verbose_name_plural = _("SKU pairs")
        ordering = ["first"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "integration", "first"], name="one_pair_per_first_sku"),
            models.UniqueConstraint(fields=["organization", "integration", "second"], name="one_pair_per_second_sku"),
            SameOrganization("integration", name="a_pairs_integration_is_of_its_organization"),
        ]

    def __str__(self) -> str:
        return f"{self.first}:{self.second}"


class IgnoredSku(models.Model):
    """A SKU of an integration's that is nobody's and may stay so: the worklist leaves it out."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    integration = models.ForeignKey(Integration, models.CASCADE, related_name="ignored_skus", db_index=False)
    sku = models.CharField(max_length=255)
    actor = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)
    objects = OwnQuerySet.as_manager()

    class Meta:
        ordering = ["sku", "id"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "integration", "sku"], name="a_sku_is_ignored_once"),
            SameOrganization("integration", name="an_ignored_skus_integration_is_of_its_organization"),
        ]

    def __str__(self) -> str:
        return self.sku


class WaitingSkuQuerySet(OwnQuerySet):
    def open(self) -> Self:
        """The worklist: those nobody said to ignore."""
        return self.filter(is_ignored=False)


class WaitingSku(models.Model):
    """A SKU of an integration's that is nobody's: a row of the view over all that waits for it.

    So many unlinked `listings`, held `reports` and `orders` wait for it; `times` counts the listings, the orders, and
    how often each report came; the first came at `began_at`. `listing` is one of the listings, to tell the good by.
    """

    id = models.CharField(max_length=32, primary_key=True)
    organization = models.ForeignKey(Organization, models.DO_NOTHING, related_name="+", db_constraint=False)
    integration = models.ForeignKey(Integration, models.DO_NOTHING, related_name="+", db_constraint=False)
    sku = models.CharField(max_length=255)
    listing = models.ForeignKey(Listing, models.DO_NOTHING, null=True, related_name="+", db_constraint=False)
    listings = models.BigIntegerField()
    reports = models.BigIntegerField()
    orders = models.BigIntegerField()
    times = models.BigIntegerField()
    seen_at = models.DateTimeField()
    is_ignored = models.BooleanField()
    began_at = models.DateTimeField()
    objects = WaitingSkuQuerySet.as_manager()

    class Meta:
        managed = False
        ordering = ["-times", "-seen_at", "sku", "id"]
        verbose_name = _("unknown SKU")
        verbose_name_plural = _("unknown SKUs")

    def __str__(self) -> str:
        return self.sku

    @property
    def name(self) -> str:
        """What the platform calls the good; a warehouse's report says nothing but the SKU."""
        return self.listing.name if self.listing else ""

    @property
    def barcodes(self) -> list[str]:
        return self.listing.barcodes if self.listing else []

    @property
    def counted(self) -> int:
        """How often warehouses counted it."""
        return self.times - self.listings - self.orders
