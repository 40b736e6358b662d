"""What each warehouse was told of our products."""

from typing import Self

from django.db import models

from apps.accounts.models import Organization
from apps.integrations.models import Integration, OwnQuerySet
from apps.tenancy import SameOrganization

from .products import Product


class HandoverQuerySet(OwnQuerySet):
    def good(self) -> Self:
        """Those the warehouse took."""
        return self.filter(error="")


class Handover(models.Model):
    """One product as one warehouse was told of it last: under which SKU of its own, in which version of ours.

    `remote_id` is its id there, empty before it was taken. `error` is why it was not taken, or not taken away.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    integration = models.ForeignKey(Integration, models.CASCADE, related_name="handovers", db_index=False)
    product = models.ForeignKey(Product, models.CASCADE, related_name="handovers")
    sku = models.CharField(max_length=255)
    remote_id = models.CharField(max_length=255, blank=True)
    version = models.PositiveIntegerField()
    error = models.CharField(max_length=50, blank=True)
    detail = models.TextField(blank=True)
    told_at = models.DateTimeField(auto_now=True)
    objects = HandoverQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["integration", "product"], name="one_handover_per_product"),
            SameOrganization("integration", name="a_handovers_integration_is_of_its_organization"),
            SameOrganization("product", name="a_handovers_product_is_of_its_organization"),
        ]

    def __str__(self) -> str:
        return f"{self.sku} at {self.integration}"
