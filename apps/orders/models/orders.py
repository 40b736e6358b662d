"""What customers bought, what stands in its way, and all that ever happened to it."""

from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization, TenantQuerySet
from apps.catalog.models import Product
from apps.integrations.models import Integration
from apps.shops.models import Shop
from apps.tenancy import SameOrganization

from ..ids import time_ordered_id


class OrderQuerySet(TenantQuerySet):
    def for_principal(self, request: Any) -> Self:
        """A machine that may see its own rows only knows of its shops' orders, a shop's own token of that shop's."""
        rows = super().for_principal(request)
        if getattr(request.user, "own", None) is None:
            return rows
        return rows.filter(shop__in=Shop.objects.for_principal(request))

    def due(self) -> Self:
        """Those that somebody has to look at now."""
        return self.filter(due_at__lte=Now(), organization__is_active=True)

    def open(self) -> Self:
        """Those about which something is still to be done."""
        return self.exclude(state__in=Order.OVER)

    def waiting(self) -> Self:
        """Those that a person has to do something about."""
        return self.filter(state=Order.State.WAITING)

    def matching(self, text: str) -> Self:
        """Those of exactly this number or id, or to somebody of this e-mail address."""
        exact = Q(number=text) | Q(ext_order_id=text) | Q(email=text.lower())
        return self.filter(exact)


class Order(models.Model):
    """What a customer bought in a shop, kept from the moment it came, whatever is still missing.

    `state` follows from what is known of it (`standing`), and nobody sets it by hand. `due_at` is when the sorter looks
    at it next, null when nothing but news can change it. Until `release_at` it is held, so that its shop may still
    change it (Pipe17: contracts 2.8). `ext_fulfillment_order_id` is the shop's name of a part of an order. `digest` is
    of what the platform said of it last, at `changed_there_at`. Amounts are in `currency`, exact. `destination` has the
    fields of connectors.orders.Address. `version` counts its changes, and is the sequence of its events.
    """

    class State(models.TextChoices):
        NEW = "new", _("New")
        HELD = "on_hold", _("On hold")
        WAITING = "waiting", _("Needs attention")
        BLOCKED = "blocked", _("Blocked by a rule")
        PENDING_STOCK = "pending_stock", _("Waiting for stock")
        READY = "ready", _("Ready to be picked")
        SENT = "sent", _("At the warehouse")
        PICKING = "picking", _("Being picked")
        PARTLY_FULFILLED = "partly_fulfilled", _("Partly shipped")
        FULFILLED = "fulfilled", _("Shipped")
        CANCELLING = "cancelling", _("Being cancelled")
        CANCELLED = "cancelled", _("Cancelled")
        NOT_OURS = "not_ours", _("Not for us to ship")

    class Source(models.TextChoices):
        API = "api", _("Sent by the shop")
        PULLED = "pulled", _("Read from the platform")
        WEBHOOK = "webhook", _("Message of the platform")

    OVER = [State.FULFILLED, State.CANCELLED, State.NOT_OURS]

    id = models.UUIDField(primary_key=True, default=time_ordered_id, editable=False)
    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="orders", db_index=False, db_constraint=False
    )
    integration = models.ForeignKey(
        Integration, models.PROTECT, related_name="orders", db_index=False, db_constraint=False
    )
    shop = models.ForeignKey(Shop, models.PROTECT, related_name="orders", db_index=False, db_constraint=False)
    ext_order_id = models.CharField(max_length=255)
    ext_fulfillment_order_id = models.CharField(max_length=255, blank=True)
    number = models.CharField(max_length=255)
    source = models.CharField(max_length=10, choices=Source, default=Source.API)
    state = models.CharField(max_length=20, choices=State, default=State.NEW)
    tags = ArrayField(models.CharField(max_length=255), default=list, blank=True)
    notes = models.TextField(blank=True)
    shipping_method = models.CharField(max_length=255, blank=True)
    destination = models.JSONField(default=dict, blank=True)
    customer = models.JSONField(default=dict, blank=True)
    email = models.CharField(max_length=255, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    total = models.DecimalField(max_digits=19, decimal_places=4, null=True, blank=True)
    shipping_price = models.DecimalField(max_digits=19, decimal_places=4, null=True, blank=True)
    tax = models.DecimalField(max_digits=19, decimal_places=4, null=True, blank=True)
    discount = models.DecimalField(max_digits=19, decimal_places=4, null=True, blank=True)
    placed_at = models.DateTimeField(null=True, blank=True)
    priority = models.IntegerField(db_default=0)
    release_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(null=True, blank=True, db_default=Now())
    tries = models.PositiveSmallIntegerField(db_default=0, editable=False)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancel_reason = models.CharField(max_length=255, blank=True, db_default="")
    digest = models.CharField(max_length=32, blank=True, editable=False)
    changed_there_at = models.DateTimeField(null=True, blank=True, editable=False)
    version = models.PositiveIntegerField(db_default=1, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            # Pio: what cannot be changed is deleted and made again, under the same ids (contracts 1.7).
            models.UniqueConstraint(
                fields=["organization", "shop", "ext_order_id", "ext_fulfillment_order_id"],
                condition=Q(cancelled_at=None),
                name="an_order_comes_once",
            ),
            models.UniqueConstraint(fields=["id", "organization"], name="an_order_and_its_organization"),
            models.CheckConstraint(
                condition=Q(state="cancelled", cancelled_at__isnull=False)
                | (~Q(state="cancelled") & Q(cancelled_at=None)),
                name="a_cancelled_order_says_when",
            ),
            SameOrganization("integration", name="an_orders_integration_is_of_its_organization"),
            SameOrganization("shop", name="an_orders_shop_is_of_its_organization"),
        ]
        indexes = [
            models.Index(fields=["organization", "-id"], name="orders_of_an_organization"),
            models.Index(fields=["organization", "shop", "-id"], name="orders_of_a_shop"),
            models.Index(
                fields=["organization", "state", "-id"],
                condition=~Q(state__in=["fulfilled", "cancelled", "not_ours"]),
                name="open_orders",
            ),
            models.Index(fields=["organization", "updated_at"], name="orders_by_change"),
            models.Index(fields=["organization", "number"], name="orders_by_number"),
            models.Index(fields=["organization", "email"], condition=~Q(email=""), name="orders_by_email"),
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="orders_to_be_sorted"),
            models.Index(
                fields=["integration"],
                condition=~Q(state__in=["fulfilled", "cancelled", "not_ours"]),
                name="open_orders_of_an_integration",
            ),
            models.Index(fields=["created_at"], condition=Q(state="waiting"), name="orders_that_need_somebody"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_cancelled(self) -> bool:
        return self.cancelled_at is not None

    @property
    def is_over(self) -> bool:
        return self.state in self.OVER


class OrderLine(models.Model):
    """So many pieces of one thing in an order, in the words of its shop; `product` is what we call it, once known.

    `is_excluded`: this shop's orders are to go without it, since somebody else ships it (pack.cloud: contracts 4.2).
    `cancelled` pieces need not go any more; `shipped` have left.
    """

    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    order = models.ForeignKey(Order, models.CASCADE, related_name="lines", db_index=False, db_constraint=False)
    position = models.PositiveSmallIntegerField()
    ext_line_id = models.CharField(max_length=255, blank=True)
    sku = models.CharField(max_length=255)
    name = models.TextField(blank=True)
    ext_product_id = models.CharField(max_length=255, blank=True)
    ext_variant_id = models.CharField(max_length=255, blank=True)
    quantity = models.PositiveIntegerField()
    price = models.DecimalField(max_digits=19, decimal_places=4, null=True, blank=True)
    product = models.ForeignKey(
        Product, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, db_constraint=False
    )
    is_excluded = models.BooleanField(db_default=False)
    cancelled = models.PositiveIntegerField(db_default=0)
    shipped = models.PositiveIntegerField(db_default=0)
    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="one_line_per_position"),
            models.UniqueConstraint(fields=["id", "organization"], name="a_line_and_its_organization"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="a_line_is_of_something"),
            models.CheckConstraint(
                condition=Q(quantity__gte=F("shipped") + F("cancelled")), name="no_more_is_shipped_than_was_ordered"
            ),
            SameOrganization("order", name="a_lines_order_is_of_its_organization"),
            SameOrganization("product", name="a_lines_product_is_of_its_organization"),
        ]
        indexes = [
            models.Index(fields=["organization", "sku"], name="lines_by_sku"),
            models.Index(fields=["product"], condition=Q(product__isnull=False), name="lines_of_a_product"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.sku}"

    @property
    def wanted(self) -> int:
        """Pieces that are still to be shipped, by whatever fulfilments there are."""
        return 0 if self.is_excluded else self.quantity - self.cancelled - self.shipped


class Hindrance(models.Model):
    """Why an order waits, or what somebody should know of it. `ref` is what it is about: a SKU, a method, a field.

    Written anew each time the order is looked at; what is no longer so goes by itself. A flag does not hold the order.
    """

    class Code(models.TextChoices):
        UNKNOWN_SKU = "unknown_sku", _("Nobody has said which product this SKU is.")
        UNMAPPED_METHOD = "unmapped_shipping_method", _("No shipping service stands for this shipping method.")
        INCOMPLETE_ADDRESS = "incomplete_address", _("The address is not complete.")
        BLOCKED = "blocked", _("A rule holds it back.")
        NO_LOCATION = "no_location", _("There is no place it could be shipped from.")
        OUT_OF_STOCK = "out_of_stock", _("There are not enough pieces.")
        NOTHING_TO_SHIP = "nothing_to_ship", _("Nothing of it is for us to ship.")
        REJECTED = "rejected_by_warehouse", _("The warehouse refused it.")
        NOT_SENT = "not_sent", _("The warehouse does not take it.")
        NOT_TOLD = "not_told", _("The platform does not take the news of its shipment.")
        CANCEL_REFUSED = "cancel_refused", _("The warehouse could not stop it any more.")
        CANCELLED_LATE = "cancelled_after_handover", _("It was cancelled at the platform when the warehouse had it.")
        EDITED_LATE = "edited_after_handover", _("It was changed at the platform when the warehouse had it.")
        BUG = "bug", _("Something went wrong on our side.")

    class Who(models.TextChoices):
        OWNER = "owner", _("the store's owner")
        OPERATOR = "operator", _("the 3PL")
        WAREHOUSE = "warehouse", _("the warehouse")
        PLATFORM = "platform", _("the platform")
        NOBODY = "nobody", _("nobody")

    # Those that only say something; the order goes on.
    FLAGS = [Code.NOT_SENT, Code.NOT_TOLD, Code.CANCEL_REFUSED, Code.CANCELLED_LATE, Code.EDITED_LATE]

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    order = models.ForeignKey(Order, models.CASCADE, related_name="hindrances", db_index=False)
    code = models.CharField(max_length=30, choices=Code)
    ref = models.CharField(max_length=255, blank=True)
    who = models.CharField(max_length=10, choices=Who)
    detail = models.JSONField(default=dict, blank=True)
    since = models.DateTimeField(db_default=Now())
    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["since", "id"]
        constraints = [
            models.UniqueConstraint(fields=["order", "code", "ref"], name="a_hindrance_is_said_once"),
            SameOrganization("order", name="a_hindrances_order_is_of_its_organization"),
        ]
        indexes = [
            models.Index(fields=["organization", "code", "ref"], name="what_orders_wait_for"),
            models.Index(fields=["code", "since"], name="hindrances_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.ref}".strip()

    @property
    def is_flag(self) -> bool:
        return self.code in self.FLAGS


class Entry(models.Model):
    """One thing that happened to an order; never changed. `kind` says what (sentences.py has the words), `data` the
    rest.

    `is_internal` ones are for the 3PL only. `actor` is who or what did it.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    order = models.ForeignKey(Order, models.CASCADE, related_name="entries", db_index=False)
    kind = models.CharField(max_length=40)
    actor = models.CharField(max_length=300)
    data = models.JSONField(default=dict, blank=True)
    is_internal = models.BooleanField(db_default=False)
    at = models.DateTimeField(db_default=Now())
    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [SameOrganization("order", name="an_entrys_order_is_of_its_organization")]
        indexes = [models.Index(fields=["order", "id"], name="entries_of_an_order")]
        verbose_name_plural = "entries"

    def __str__(self) -> str:
        return f"{self.kind} by {self.actor}"


class Nudge(models.Model):
    """Something changed that orders may wait for. Who changes it only adds a row, and never waits for an order.

    `code` is that of the hindrances it may end, `ref` theirs; empty for all of that code in the organization.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    code = models.CharField(max_length=30, choices=Hindrance.Code)
    ref = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.code} {self.ref}".strip()
