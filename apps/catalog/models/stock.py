"""How much of a product lies where, and the ledger that explains every number. `stocking` writes both, nobody else."""

from typing import Any, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q, Sum
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization, TenantQuerySet
from apps.integrations.models import Integration
from apps.tenancy import SameOrganization

from .locations import Location
from .products import Listing, Product

NUMBERS = ("on_hand", "reserved", "incoming", "reserved_incoming")


class StockLevelQuerySet(TenantQuerySet):
    def for_principal(self, request: Any) -> Self:
        """A machine that may see its own rows only knows of what its shops list, and of what lies in its own places.

        A shop's own token: of what that shop lists.
        """
        rows, own = super().for_principal(request), getattr(request.user, "own", None)
        if own is None:
            return rows
        listed = Listing.objects.for_principal(request).current().filter(product=OuterRef("product"))
        places = Location.objects.none() if request.user.shop else Location.objects.for_principal(request)
        return rows.filter(Exists(listed) | Q(location__in=places))

    def counted(self) -> Self:
        """Those in places whose stock may be sold."""
        return self.filter(location__in=Location.objects.counted())

    def totals(self) -> dict[str, int]:
        """The four numbers over all of these, in pieces; zero where there is no row."""
        found = self.aggregate(**{name: Sum(name, default=0) for name in NUMBERS})
        return {name: int(number) for name, number in found.items()}


class StockLevel(models.Model):
    """One organization's pieces of one product at one location.

    `on_hand` is there (Pio: in_stock), `reserved` is held for orders, `incoming` is on its way here, and
    `reserved_incoming` is what of that is promised already (Pipe17, contracts 2.10). available = on hand - reserved;
    it is below zero when a count found less than was promised. `version` counts the changes; each has its movement.
    `counted_version` and `counted_at` are those of the newest count that named it and was believed: what is older, or
    older than the newest complete count of the location, says nothing new. `missing` pieces were reported gone that we
    had never heard of; what is reported next is set off against them, so that changes come out right in whatever order
    they arrive.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="stock_levels", db_index=False)
    product = models.ForeignKey(Product, models.PROTECT, related_name="stock_levels", db_index=False)
    location = models.ForeignKey(Location, models.PROTECT, related_name="stock_levels", db_index=False)
    on_hand = models.IntegerField(db_default=0)
    reserved = models.IntegerField(db_default=0)
    incoming = models.IntegerField(db_default=0)
    reserved_incoming = models.IntegerField(db_default=0)
    missing = models.PositiveBigIntegerField(db_default=0, editable=False)
    version = models.PositiveBigIntegerField(db_default=0, editable=False)
    counted_version = models.BigIntegerField(null=True, blank=True, editable=False)
    counted_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    objects = StockLevelQuerySet.as_manager()

    class Meta:
        ordering = ["product", "location"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "product", "location"], name="one_level_per_location"),
            models.CheckConstraint(
                condition=Q(on_hand__gte=0, reserved__gte=0, incoming__gte=0, reserved_incoming__gte=0),
                name="no_number_of_a_level_is_negative",
            ),
            models.UniqueConstraint(fields=["id", "organization"], name="a_level_and_its_organization"),
            SameOrganization("product", name="a_levels_product_is_of_its_organization"),
        ]
        indexes = [models.Index(fields=["organization", "location", "product"], name="levels_of_a_location")]

    def __str__(self) -> str:
        return f"{self.on_hand} of {self.product} at {self.location}"

    @property
    def available(self) -> int:
        """What new orders may take, in pieces."""
        return self.on_hand - self.reserved


class StockMovement(models.Model):
    """One line of the ledger: by how much a level changed, to what, and why. Never changed, never deleted.

    The sums of the changes of a level are its numbers. `sequence` is the level's version after it. `occurred_at` is
    when it happened where the goods are, `created_at` when we wrote it down. `source_version` is the count the
    reporting system gave, if any, `reported_change` the change it told where more is said to be gone than there was.
    `reference` names the cause: an order, a fulfillment, a sync run, a receipt; with
    `entry`, the reporter's own id of this change, a repetition is told from a second one.
    """

    class Cause(models.TextChoices):
        RECEIPT = "receipt", _("Message of the warehouse")
        REPORT = "report", _("Report of the warehouse")
        SNAPSHOT = "snapshot", _("Snapshot of the warehouse")
        OPERATOR = "operator", _("Done by hand")
        ORDER = "order", _("Order")
        FULFILLMENT = "fulfillment", _("Fulfillment")
        RECONCILE = "reconcile", _("Correction after comparing")

    COUNTS = [Cause.SNAPSHOT, Cause.RECONCILE]

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    level = models.ForeignKey(StockLevel, models.PROTECT, related_name="movements", db_index=False)
    sequence = models.PositiveBigIntegerField()
    cause = models.CharField(max_length=20, choices=Cause)
    on_hand_change = models.IntegerField(default=0)
    reserved_change = models.IntegerField(default=0)
    incoming_change = models.IntegerField(default=0)
    reserved_incoming_change = models.IntegerField(default=0)
    on_hand = models.IntegerField()
    reserved = models.IntegerField()
    incoming = models.IntegerField()
    reserved_incoming = models.IntegerField()
    reported_change = models.IntegerField(null=True, blank=True)
    is_count = models.BooleanField(default=False)
    source_version = models.BigIntegerField(null=True, blank=True)
    reference = models.CharField(max_length=255, blank=True)
    entry = models.CharField(max_length=255, blank=True)
    integration = models.ForeignKey(
        Integration, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False, db_constraint=False
    )
    actor = models.CharField(max_length=255)
    note = models.TextField(blank=True)
    occurred_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now())
    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "level", "sequence"], name="one_movement_per_change"),
            models.UniqueConstraint(
                fields=["organization", "level", "integration", "entry"],
                condition=~Q(entry=""),
                name="a_reported_change_counts_once",
            ),
            SameOrganization("level", name="a_movements_level_is_of_its_organization"),
            SameOrganization("integration", name="a_movements_integration_is_of_its_organization"),
        ]
        indexes = [
            models.Index(fields=["level", "occurred_at"], condition=Q(is_count=False), name="changes_of_a_level")
        ]

    def __str__(self) -> str:
        return f"{self.get_cause_display()}: {self.on_hand_change:+} on hand"


class HeldReport(models.Model):
    """The newest count a warehouse reported for a SKU that is nobody's yet. It waits, and counts once the SKU is known.

    `sku` is in the reporter's words.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="held_reports", db_index=False)
    integration = models.ForeignKey(Integration, models.CASCADE, related_name="held_reports")
    location = models.ForeignKey(Location, models.CASCADE, related_name="+")
    sku = models.CharField(max_length=255)
    on_hand = models.IntegerField()
    source_version = models.BigIntegerField(null=True, blank=True)
    occurred_at = models.DateTimeField()
    reference = models.CharField(max_length=255, blank=True)
    times = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["sku", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "integration", "location", "sku"], name="one_held_report_per_sku"
            ),
            SameOrganization("integration", name="a_held_reports_integration_is_of_its_organization"),
            SameOrganization("location", name="a_held_reports_location_is_of_its_organization"),
        ]

    def __str__(self) -> str:
        return f"{self.on_hand} of {self.sku}"
