"""What warehouses do about orders. A fulfilment is owed to its warehouse, a parcel to the platform."""

from datetime import timedelta
from typing import Any, Self

from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization, TenantQuerySet
from apps.catalog.models import Location, Product
from apps.integrations.models import Integration
from apps.shops.models import Shop
from apps.tenancy import SameOrganization

from ..ids import time_ordered_id
from .orders import Order, OrderLine

LEASE = timedelta(seconds=60)  # longer than the few calls that telling one row takes


class OwedQuerySet(TenantQuerySet):
    """Rows of which another system has to be told, each when its `due_at` has come."""

    def due(self) -> Self:
        free = Q(lease_until=None) | Q(lease_until__lt=Now())
        return self.filter(free, due_at__lte=Now(), organization__is_active=True)

    def claim(self, *, most: int) -> list[Any]:
        """Take the most urgent due ones of this set for LEASE; others that ask at the same time get others."""
        with transaction.atomic():
            due = self.due().order_by("due_at").values_list("pk", flat=True)
            pks = list(due.select_for_update(skip_locked=True, of=("self",), no_key=True)[:most])
            self.model._base_manager.filter(pk__in=pks).update(lease_until=Now() + LEASE, fence=F("fence") + 1)
        return list(self.model._base_manager.filter(pk__in=pks).order_by("due_at", "pk"))


class FulfillmentQuerySet(OwedQuerySet):
    def for_principal(self, request: Any) -> Self:
        """A machine that may see its own rows only knows of those of its shops' orders, and of its own locations."""
        rows, own = super().for_principal(request), getattr(request.user, "own", None)
        if own is None:
            return rows
        orders = Order.objects.for_principal(request)
        if request.user.shop:
            return rows.filter(order__in=orders)
        return rows.filter(Q(integration=own) | Q(order__in=orders))

    def live(self) -> Self:
        """Those about which something may still happen."""
        return self.exclude(state__in=Fulfillment.FINAL)

    def to_be_picked(self) -> Self:
        """Those that people of the 3PL pick by hand, the most urgent first (behaviour 75)."""
        manual = self.filter(integration=None, state__in=[Fulfillment.State.READY, Fulfillment.State.PICKING])
        return manual.order_by("-priority", "id")


class Fulfillment(models.Model):
    """What one location does about an order: it moves through its states, and is frozen when final (behaviour 78).

    `integration` fulfils from the location; none where people of the 3PL do. `owes` is what that integration's other
    side is still to be told; `due_at` when. One without such a call (people, or a warehouse that asks us) owes nothing.
    Its id is our reference at the warehouse, `remote_id` the warehouse's own. `service` is what the order's shipping
    method means there; `is_fallback` when no mapping names it (behaviour 80). `source_version` is the newest the
    warehouse gave its own state.
    """

    class State(models.TextChoices):
        READY = "ready", _("Ready")
        SENT = "sent", _("At the warehouse")
        PICKING = "picking", _("Being picked")
        SHIPPED = "shipped", _("Shipped")
        PARTLY_SHIPPED = "partly_shipped", _("Partly shipped")
        REJECTED = "rejected", _("Refused by the warehouse")
        CANCELLED = "cancelled", _("Cancelled")

    class Owes(models.TextChoices):
        NOTHING = "", _("Nothing")
        SEND = "send", _("To be sent")
        CHANGE = "change", _("To be changed")
        CANCEL = "cancel", _("To be cancelled")

    FINAL = [State.SHIPPED, State.PARTLY_SHIPPED, State.REJECTED, State.CANCELLED]

    id = models.UUIDField(primary_key=True, default=time_ordered_id, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="fulfillments", db_index=False)
    order = models.ForeignKey(Order, models.CASCADE, related_name="fulfillments", db_index=False)
    location = models.ForeignKey(Location, models.PROTECT, related_name="fulfillments", db_index=False)
    integration = models.ForeignKey(
        Integration, models.PROTECT, null=True, blank=True, related_name="fulfillments", db_index=False
    )
    state = models.CharField(max_length=20, choices=State, default=State.READY)
    priority = models.IntegerField(default=0)
    service = models.CharField(max_length=255, blank=True)
    service_name = models.CharField(max_length=255, blank=True)
    is_fallback = models.BooleanField(default=False)
    remote_id = models.CharField(max_length=255, blank=True)
    remote_url = models.CharField(max_length=2000, blank=True)
    reason = models.CharField(max_length=255, blank=True)
    source_version = models.BigIntegerField(null=True, blank=True, editable=False)
    owes = models.CharField(max_length=10, choices=Owes, default=Owes.NOTHING, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    fence = models.PositiveIntegerField(default=0, editable=False)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=50, blank=True)
    detail = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    objects = FulfillmentQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "location"],
                condition=~Q(state__in=["shipped", "partly_shipped", "rejected", "cancelled"]),
                name="one_live_fulfillment_per_location",
            ),
            models.UniqueConstraint(
                fields=["integration", "remote_id"],
                condition=~Q(remote_id=""),
                name="one_fulfillment_per_remote_id",
            ),
            models.UniqueConstraint(fields=["id", "organization"], name="a_fulfillment_and_its_organization"),
            models.CheckConstraint(
                condition=Q(owes="", due_at=None) | (~Q(owes="") & Q(integration__isnull=False)),
                name="who_is_owed_nothing_is_not_waited_for",
            ),
            SameOrganization("order", name="a_fulfillments_order_is_of_its_organization"),
            SameOrganization("integration", name="a_fulfillments_integration_is_of_its_organization"),
        ]
        indexes = [
            models.Index(fields=["order"], name="fulfillments_of_an_order"),
            models.Index(fields=["organization", "-id"], name="fulfillments_newest_first"),
            models.Index(
                fields=["location", "-priority", "id"],
                condition=Q(state__in=["ready", "picking"]),
                name="fulfillments_to_be_picked",
            ),
            models.Index(fields=["integration", "state", "id"], name="fulfillments_of_a_warehouse"),
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="fulfillments_to_be_told"),
            models.Index(
                fields=["created_at"], condition=Q(is_fallback=True, finished_at=None), name="fulfillments_by_fallback"
            ),
            models.Index(fields=["created_at"], condition=~Q(owes="") & ~Q(error=""), name="fulfillments_not_taken"),
        ]

    def __str__(self) -> str:
        return f"{self.order} at {self.location}"

    @property
    def is_final(self) -> bool:
        return self.state in self.FINAL

    @property
    def is_manual(self) -> bool:
        """Whether people of the 3PL pick it."""
        return self.integration_id is None

    def mine(self) -> FulfillmentQuerySet:
        """This one, as long as nobody else has claimed it since."""
        return Fulfillment.objects.filter(pk=self.pk, fence=self.fence)


class FulfillmentLine(models.Model):
    """How many pieces of an order's line one location is to ship, and how many of them it did."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    fulfillment = models.ForeignKey(Fulfillment, models.CASCADE, related_name="lines", db_index=False)
    order_line = models.ForeignKey(OrderLine, models.CASCADE, related_name="fulfillment_lines")
    product = models.ForeignKey(Product, models.PROTECT, related_name="+", db_index=False)
    quantity = models.PositiveIntegerField()
    shipped = models.PositiveIntegerField(default=0)
    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["order_line__position"]
        constraints = [
            models.UniqueConstraint(fields=["fulfillment", "order_line"], name="a_line_is_in_a_fulfillment_once"),
            models.CheckConstraint(condition=Q(shipped__lte=F("quantity")), name="no_more_is_shipped_than_was_asked"),
            SameOrganization("fulfillment", name="a_lines_fulfillment_is_of_its_organization"),
            SameOrganization("order_line", name="a_fulfilled_line_is_of_its_organization"),
            SameOrganization("product", name="a_fulfilled_product_is_of_its_organization"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of line {self.order_line_id}"

    @property
    def open(self) -> int:
        """Pieces that have not left."""
        return self.quantity - self.shipped


class ParcelQuerySet(OwedQuerySet):
    def for_principal(self, request: Any) -> Self:
        rows = super().for_principal(request)
        return rows.filter(fulfillment__in=Fulfillment.objects.for_principal(request))


class Parcel(models.Model):
    """What left a warehouse in one go; never changed but for whether the order's platform has been told.

    `lines` are pairs of an order line's id and pieces. `ext_parcel_id` is the warehouse's own name of it, by which a
    repetition is known. `due_at` is when the platform is told next: null when it knows, or nobody is to be told.
    """

    id = models.UUIDField(primary_key=True, default=time_ordered_id, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="parcels", db_index=False)
    fulfillment = models.ForeignKey(Fulfillment, models.CASCADE, related_name="parcels", db_index=False)
    order = models.ForeignKey(Order, models.CASCADE, related_name="parcels", db_index=False)
    shop = models.ForeignKey(Shop, models.PROTECT, related_name="+", db_index=False)
    ext_parcel_id = models.CharField(max_length=255, blank=True)
    carrier = models.CharField(max_length=255, blank=True)
    tracking_number = models.CharField(max_length=255, blank=True)
    tracking_url = models.CharField(max_length=2000, blank=True)
    lines = models.JSONField()
    shipped_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    due_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    remote_id = models.CharField(max_length=255, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    fence = models.PositiveIntegerField(default=0, editable=False)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=50, blank=True)
    detail = models.TextField(blank=True)
    objects = ParcelQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["fulfillment", "ext_parcel_id"], condition=~Q(ext_parcel_id=""), name="a_parcel_is_told_once"
            ),
            SameOrganization("fulfillment", name="a_parcels_fulfillment_is_of_its_organization"),
            SameOrganization("order", name="a_parcels_order_is_of_its_organization"),
            SameOrganization("shop", name="a_parcels_shop_is_of_its_organization"),
        ]
        indexes = [
            models.Index(fields=["order", "id"], name="parcels_of_an_order"),
            models.Index(fields=["fulfillment"], name="parcels_of_a_fulfillment"),
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="parcels_to_be_told"),
            models.Index(fields=["shipped_at"], condition=Q(told_at=None) & ~Q(error=""), name="parcels_not_taken"),
        ]

    def __str__(self) -> str:
        return self.tracking_number or str(self.pk)

    def mine(self) -> ParcelQuerySet:
        """This one, as long as nobody else has claimed it since."""
        return Parcel.objects.filter(pk=self.pk, fence=self.fence)
