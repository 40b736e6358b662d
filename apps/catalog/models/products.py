"""What an organization sells, and how each platform names it."""

from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization, TenantQuerySet
from apps.shops.models import Shop
from apps.tenancy import SameOrganization


class ProductQuerySet(TenantQuerySet):
    def for_principal(self, request: Any) -> Self:
        """A machine that may see its own rows only knows of what its shops list now (behaviour 48)."""
        rows = super().for_principal(request)
        if getattr(request.user, "own", None) is None:
            return rows
        return rows.listed(Listing.objects.for_principal(request))

    def listed(self, listings: "ListingQuerySet") -> Self:
        """Those that some of these listings stand for now."""
        return self.filter(Exists(listings.current().filter(product=OuterRef("pk"))))

    def current(self) -> Self:
        """Those some platform still lists."""
        return self.filter(archived_at=None)

    def called(self, code: str) -> "Product | None":
        """The one with exactly this SKU; else the only one with exactly this barcode."""
        by_barcode = self.filter(barcodes__contains=[code])[:2]
        found: list[Any] = list(self.filter(sku=code)) or list(by_barcode)
        return found[0] if len(found) == 1 else None

    def matching(self, text: str) -> Self:
        """Those whose SKU, name or barcode holds every word of the text."""
        found = self
        for word in text.split():
            found = found.filter(Q(sku__icontains=word) | Q(name__icontains=word) | Q(barcodes__icontains=word))
        return found


class Described(models.Model):
    """What is said of a good: per piece in `currency`, grams and millimetres, an ISO 3166 country of two letters."""

    sku = models.CharField(max_length=255)
    name = models.TextField()
    barcodes = ArrayField(models.CharField(max_length=255), default=list, blank=True)
    price = models.DecimalField(max_digits=19, decimal_places=4, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    image_src = models.TextField(blank=True)
    weight = models.DecimalField(max_digits=12, decimal_places=3, null=True, blank=True)
    length = models.DecimalField(max_digits=12, decimal_places=3, null=True, blank=True)
    width = models.DecimalField(max_digits=12, decimal_places=3, null=True, blank=True)
    height = models.DecimalField(max_digits=12, decimal_places=3, null=True, blank=True)
    hs_code = models.CharField(max_length=20, blank=True)
    country_of_origin = models.CharField(max_length=2, blank=True)
    brand = models.CharField(max_length=255, blank=True)
    type = models.CharField(max_length=255, blank=True)
    tags = ArrayField(models.CharField(max_length=255), default=list, blank=True)

    class Meta:
        abstract = True


class Product(Described):
    """A good. Its SKU is unique in its organization, however many shops list it.

    Its texts come from one listing, the one that described it first. `archived_at` is when the last platform stopped
    listing it. `version` counts its changes, and is the sequence of its events.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="products", db_index=False)
    version = models.PositiveIntegerField(db_default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    objects = ProductQuerySet.as_manager()

    class Meta:
        ordering = ["sku"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "sku"], name="sku_is_unique_in_an_organization"),
            models.CheckConstraint(condition=Q(price=None) | Q(price__gte=0), name="a_price_is_not_negative"),
            models.UniqueConstraint(fields=["id", "organization"], name="a_product_and_its_organization"),
        ]

    def __str__(self) -> str:
        return self.sku


class ListingQuerySet(TenantQuerySet):
    def for_principal(self, request: Any) -> Self:
        """A machine that may see its own rows only knows of those of its shops, a shop's own token of that shop's."""
        rows = super().for_principal(request)
        if getattr(request.user, "own", None) is None:
            return rows
        return rows.filter(shop__in=Shop.objects.for_principal(request))

    def current(self) -> Self:
        return self.filter(removed_at=None)

    def told_stock(self) -> Self:
        """Those whose platform is told how many there are (behaviour 68)."""
        return self.current().filter(status="linked", stock_sync_enabled=True)

    def matching(self, text: str) -> Self:
        found = self
        for word in text.split():
            found = found.filter(Q(sku__icontains=word) | Q(name__icontains=word) | Q(barcodes__icontains=word))
        return found

    def after(self, last: "Listing") -> Self:
        """Those that follow one by SKU, in that order. The index finds the place: `sku__gte` alone bounds it."""
        beyond = self.filter(Q(sku__gt=last.sku) | Q(pk__gt=last.pk), sku__gte=last.sku)
        return beyond.order_by("sku", "pk")


class Listing(Described):
    """How one shop names a product, as its platform last told us; `quantity` is in pieces, as the platform counts.

    An unlinked one has no product: its SKU is nobody's yet, and waits in the worklist for somebody to say whose. What
    somebody said stands, `by_hand`: reading the platform again links nor unlinks it.
    """

    class Status(models.TextChoices):
        LINKED = "linked", _("Linked")
        UNLINKED = "unlinked", _("Unlinked")

    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="listings", db_index=False, db_constraint=False
    )
    shop = models.ForeignKey(Shop, models.CASCADE, related_name="listings", db_index=False, db_constraint=False)
    product = models.ForeignKey(
        Product, models.PROTECT, null=True, blank=True, related_name="listings", db_constraint=False
    )
    ext_product_id = models.CharField(max_length=255)
    ext_variant_id = models.CharField(max_length=255, blank=True)
    quantity = models.IntegerField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.LINKED)
    by_hand = models.BooleanField(db_default=False, editable=False)
    describes_product = models.BooleanField(default=False)
    order_sync_enabled = models.BooleanField(default=True)
    stock_sync_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    objects = ListingQuerySet.as_manager()

    class Meta:
        ordering = ["sku", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "shop", "ext_product_id", "ext_variant_id"],
                name="one_listing_per_ext_ids_in_a_shop",
            ),
            models.UniqueConstraint(
                fields=["product"],
                condition=Q(describes_product=True),
                name="one_listing_describes_a_product",
            ),
            models.CheckConstraint(
                condition=Q(status="unlinked") | Q(product__isnull=False),
                name="a_linked_listing_has_a_product",
            ),
            SameOrganization("shop", name="a_listings_shop_is_of_its_organization"),
            SameOrganization("product", name="a_listings_product_is_of_its_organization"),
        ]
        # Partial, so that it is no candidate for finding a listing by its ids: without statistics it would win there.
        indexes = [
            models.Index(
                fields=["organization", "shop", "sku", "id"], condition=Q(removed_at=None), name="listings_of_a_shop"
            )
        ]

    def __str__(self) -> str:
        return f"{self.sku} in {self.shop}"


class Sighting(models.Model):
    """The listings that one page of a full import met. What no page of a run that reached the end met is gone.

    A row for a page, kept apart from Listing: looking at an unchanged catalogue writes next to nothing. `look` tells a
    second reading of the list from the first; the same listings have the same `mark`, so that a look that goes round in
    circles is noticed. Dropped with the run's end.
    """

    pk = models.CompositePrimaryKey("run", "look", "mark")
    run = models.UUIDField()
    look = models.PositiveSmallIntegerField(default=1)
    mark = models.CharField(max_length=64)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    listings = models.JSONField()

    def __str__(self) -> str:
        return f"{len(self.listings)} listings seen by {self.run}"


class KnownPage(models.Model):
    """A page of a shop's list, read before, and what came of it: so that its like need not be read again.

    `digest` is of its bytes and the cursor it came for; `basis` of all else that its reading followed from. `mark` is
    that of its sightings. A listing that changed after `learnt_at` is not what the page said. Pages that the newest
    whole reading did not meet are forgotten.
    """

    pk = models.CompositePrimaryKey("shop", "digest")
    shop = models.ForeignKey(Shop, models.CASCADE, related_name="+", db_index=False)
    digest = models.CharField(max_length=32)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    basis = models.CharField(max_length=32)
    mark = models.CharField(max_length=64)
    listings = models.JSONField()
    items = models.PositiveIntegerField()
    learnt_at = models.DateTimeField(db_default=Now())
    next_cursor = models.TextField(blank=True)
    total = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [SameOrganization("shop", name="a_known_pages_shop_is_of_its_organization")]

    def __str__(self) -> str:
        return f"{self.items} items of {self.shop_id}"
