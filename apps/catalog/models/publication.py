"""What each platform was told of our stock, and what it is still owed."""

from django.db import models
from django.db.models import Q

from apps.accounts.models import Organization, TenantQuerySet
from apps.shops.models import Shop
from apps.tenancy import SameOrganization

from .products import Listing, Product


class Publication(models.Model):
    """The stock of one listing as its platform knows it from us, in pieces: `quantity`, told at `told_at`.

    `due_at` is when its product's stock changed last without the platform having heard (plus a moment in which further
    changes join), null when nothing is owed. A row exists only for listings of shops that are told their stock.
    `error` is why the last attempt for this SKU failed.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    shop = models.ForeignKey(Shop, models.CASCADE, related_name="publications", db_index=False)
    product = models.ForeignKey(Product, models.CASCADE, related_name="publications", db_index=False)
    listing = models.OneToOneField(Listing, models.CASCADE, related_name="publication")
    quantity = models.IntegerField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=50, blank=True)
    detail = models.TextField(blank=True)
    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            SameOrganization("shop", name="a_publications_shop_is_of_its_organization"),
            SameOrganization("product", name="a_publications_product_is_of_its_organization"),
        ]
        indexes = [
            models.Index(fields=["organization", "product"], name="publications_of_a_product"),
            models.Index(fields=["shop", "due_at"], condition=Q(due_at__isnull=False), name="publications_owed"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.listing}"
