"""What each platform was told of our stock, what it is still owed, and who is at it.

Times that decide are the database's.
"""

from datetime import timedelta
from typing import Any, Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Now

from apps.accounts.models import Organization, TenantQuerySet
from apps.feeds import Feed, Feeds
from apps.integrations.models import Integration
from apps.shops.models import Connection, Shop
from apps.tenancy import SameOrganization

from .products import Listing, Product
from .stock import StockLevel

PASSING = 3  # failures in a row to reach a platform before anybody should look
LEASE = timedelta(seconds=90)  # longer than the few calls that telling a platform takes


class PublicationQuerySet(TenantQuerySet):
    def due(self) -> Self:
        return self.filter(due_at__lte=Now())

    def failed(self) -> Self:
        """Those their platform did not take when it was told last."""
        return self.exclude(error="")

    def counted(self) -> Self:
        """Those of whose product somebody has said how many there are."""
        levels = StockLevel.objects.filter(organization=OuterRef("organization"), product=OuterRef("product"))
        return self.filter(Exists(levels))

    def without_reason(self) -> Self:
        """Those whose listing's platform is not told its stock any more."""
        return self.filter(~Exists(Listing.objects.told_stock().filter(pk=OuterRef("listing"))))

    def moved(self) -> Self:
        """Those whose listing is another product's by now."""
        return self.filter(listing__product__isnull=False).exclude(product=F("listing__product"))

    def follow(self) -> int:
        """They are their listing's product's from now on, of which nothing was told."""
        product = Subquery(Listing.objects.filter(pk=OuterRef("listing")).values("product")[:1])
        return self.update(product=product, quantity=None, told_at=None, due_at=Now(), is_being_told=False)

    def owe_again(self) -> int:
        """What their platforms know from us is not trusted any more: they are told at once, also if it is the same."""
        return self.update(quantity=None, due_at=Now(), is_being_told=False)


class Publication(models.Model):
    """The stock of one listing as its platform knows it from us, in pieces: `quantity`, told at `told_at`.

    `due_at` is when its product's stock changed last without the platform having heard (plus a moment in which further
    changes join), null when nothing is owed. A row exists only for listings of shops that are told their stock.
    `is_being_told`: a sender is at it, and will clear that; `due_at` is then when it is taken for dead. `error` is why
    the last attempt for this SKU failed, `tries` how often in a row; `due_at` is then when it is tried again.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    shop = models.ForeignKey(Shop, models.CASCADE, related_name="publications", db_index=False)
    product = models.ForeignKey(Product, models.CASCADE, related_name="publications", db_index=False)
    listing = models.OneToOneField(Listing, models.CASCADE, related_name="publication")
    quantity = models.IntegerField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    is_being_told = models.BooleanField(db_default=False, editable=False)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=50, blank=True)
    detail = models.TextField(blank=True)
    objects = PublicationQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            SameOrganization("shop", name="a_publications_shop_is_of_its_organization"),
            SameOrganization("product", name="a_publications_product_is_of_its_organization"),
        ]
        indexes = [
            models.Index(fields=["organization", "product"], name="publications_of_a_product"),
            models.Index(fields=["shop", "due_at"], condition=Q(due_at__isnull=False), name="publications_owed"),
            models.Index(fields=["shop", "error"], condition=~Q(error=""), name="publications_not_taken"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.listing}"


class StockFeedQuerySet(Feeds, TenantQuerySet):
    def allowed(self) -> Self:
        """Those whose organization is active, integration has permission and tells stock, and store is not paused."""
        return self.filter(
            organization__is_active=True,
            shop__integration__state=Integration.State.CONNECTED,
            shop__integration__stock_sync_enabled=True,
            shop__connections__state=Connection.State.ACTIVE,
        )

    def due(self) -> Self:
        """Those that owe something now, and need not wait."""
        owed = Exists(Publication.objects.due().filter(shop=OuterRef("shop")))
        return self.allowed().ready().filter(owed)

    def claim(self, shop: Any) -> "StockFeed | None":
        """Take the feed of a shop for LEASE, if it is in this set."""
        if not self.filter(shop=shop).take(lease=LEASE):
            return None
        return StockFeed.objects.select_related("organization", "shop__integration__partner").get(shop=shop)

    def of_account(self, integration: Integration) -> Self:
        """All that are told through the same account at the same platform, whoever's."""
        return self.filter(
            shop__integration__connector=integration.connector, shop__integration__account_ref=integration.account_ref
        )

    def troubled(self) -> Self:
        """Those not told for a while, or some of whose SKUs are not taken; `since` is the last telling."""
        failed = Publication.objects.failed().filter(shop=OuterRef("shop"))
        stuck = ~Q(error="") & Q(tries__gte=PASSING)
        return self.allowed().filter(stuck | Q(Exists(failed))).annotate(since=Coalesce("told_at", "created_at"))


class StockFeed(Feed):
    """The telling of one shop's platform: one sender at a time, and whether it has to wait."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    shop = models.OneToOneField(Shop, models.CASCADE, related_name="stock_feed")
    objects = StockFeedQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [SameOrganization("shop", name="a_feeds_shop_is_of_its_organization")]

    def __str__(self) -> str:
        return f"Stock told to {self.shop}"
