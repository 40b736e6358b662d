"""Pio's side of the world. Passwords and client secrets are in clear: these accounts are simulated."""

from uuid import uuid4

from django.db import models
from django.db.models import Q


class Organization(models.Model):
    """A company with a Pio grid."""

    name = models.CharField(max_length=1000)

    def __str__(self) -> str:
        return self.name


class User(models.Model):
    class Role(models.TextChoices):
        ADMIN = "admin"
        PICKER = "picker"

    email = models.EmailField(unique=True)
    password = models.CharField(max_length=100)
    role = models.CharField(max_length=10, choices=Role.choices)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="users")

    def __str__(self) -> str:
        return self.email


class Integration(models.Model):
    """A client of the API, for one or many organizations. Deactivated, neither it nor its tokens work."""

    client_id = models.CharField(primary_key=True, max_length=100)
    client_secret = models.CharField(max_length=200)
    name = models.CharField(max_length=100)
    email = models.EmailField(blank=True)
    callback_urls = models.JSONField(default=list)
    deactivated_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class Shop(models.Model):
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE)
    name = models.CharField(max_length=200)
    ext_shop_id = models.CharField(max_length=255, help_text="the integration's own name for it")
    deactivated_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "ext_shop_id"],
                condition=Q(deactivated_at=None),
                name="one_active_shop_of_that_id",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Grant(models.Model):
    """An admin's approval: one authorization code."""

    code = models.CharField(max_length=64, unique=True, help_text="its SHA-256")
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE)
    redirect_uri = models.CharField(max_length=2000)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.integration_id} for {self.organization}"


class Token(models.Model):
    """An access token. It has no end of its own, and no shop until it has made one."""

    digest = models.CharField(max_length=64, unique=True, help_text="its SHA-256")
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE)
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, null=True, related_name="tokens")
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"token of {self.integration_id}"

    @property
    def is_alive(self) -> bool:
        """Whether neither it, nor its integration, nor its shop has been ended."""
        ends = [self.revoked_at, self.integration.deactivated_at, self.shop and self.shop.deactivated_at]
        return not any(ends)


class Product(models.Model):
    """One physical good of an organization. Its stock is the sum of its places; `version` counts its changes."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="products")
    sku = models.CharField(max_length=255)
    name = models.CharField(max_length=1000)
    image_src = models.CharField(max_length=2000, blank=True)
    about = models.JSONField(default=dict, help_text="everything else that an integration said of it")
    in_stock = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)
    version = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "sku"], name="one_product_of_that_sku")]

    def __str__(self) -> str:
        return self.name

    @property
    def available(self) -> int:
        return self.in_stock - self.reserved

    @property
    def numbers(self) -> dict[str, int]:
        """The three numbers of Pio (contracts 1.6)."""
        return {"in_stock": self.in_stock, "reserved": self.reserved, "available": self.available}


class Mapping(models.Model):
    """What a shop calls a product. It may have several names for the same one."""

    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="mappings")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="mappings")
    ext_product_id = models.CharField(max_length=255)
    ext_variant_id = models.CharField(max_length=255, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "ext_product_id", "ext_variant_id"], name="one_product_by_that_name"
            )
        ]

    def __str__(self) -> str:
        return f"{self.ext_product_id} {self.ext_variant_id}".strip()


class Place(models.Model):
    """Where a product lies, and how much of it."""

    class Kind(models.TextChoices):
        GRID = "grid"
        SHELF = "shelf"

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="places")
    kind = models.CharField(max_length=5, choices=Kind.choices)
    name = models.CharField(max_length=100)
    quantity = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["product", "kind", "name"], name="one_place_of_that_name")]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class LogEntry(models.Model):
    """One change of a product's stock at the port."""

    class Reason(models.TextChoices):
        STORE = "store"
        PICK = "pick"
        COUNT = "count"

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="log")
    reason = models.CharField(max_length=5, choices=Reason.choices)
    change = models.BigIntegerField()
    in_stock = models.BigIntegerField(help_text="after the change")
    kind = models.CharField(max_length=5, choices=Place.Kind.choices)
    name = models.CharField(max_length=100)
    occurred_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.reason} {self.change:+}"


class Order(models.Model):
    """What a shop wants sent. Of one pair of external ids a shop has one, beside those that it has deleted.

    `step` is how far it is on its way to a fulfilment; what comes after is the fulfilment's own.
    """

    class Step(models.TextChoices):
        NEW = "new", "not looked at yet"
        WAITING = "waiting", "waits for stock"
        PREPARED = "prepared"
        DELETED = "deleted"

    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="orders", db_index=False)
    ext_order_id = models.CharField(max_length=255)
    ext_fulfillment_order_id = models.CharField(max_length=255, blank=True)
    order_number = models.CharField(max_length=255, blank=True)
    tags = models.JSONField(default=list)
    notes = models.TextField(blank=True)
    shipping_method = models.CharField(max_length=255, blank=True)
    destination_address = models.JSONField(default=dict)
    step = models.CharField(max_length=10, choices=Step.choices, default=Step.NEW, db_index=True)
    accepted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "ext_order_id", "ext_fulfillment_order_id"],
                condition=~Q(step="deleted"),
                name="one_order_of_that_pair",
            )
        ]
        indexes = [
            models.Index(fields=["shop", "ext_order_id", "ext_fulfillment_order_id"], name="order_by_pair"),
            models.Index(fields=["shop", "ext_fulfillment_order_id"], name="order_by_fulfillment_id"),
        ]

    def __str__(self) -> str:
        return self.order_number or self.ext_order_id


class OrderLine(models.Model):
    """So many pieces of one product. `sent` is how many of them have left."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.SET_NULL, null=True, related_name="order_lines")
    sku = models.CharField(max_length=255)
    ext_order_line_item_id = models.CharField(max_length=255, blank=True)
    quantity = models.PositiveIntegerField()
    sent = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku}"

    @property
    def left(self) -> int:
        """How many pieces are still to be picked."""
        return self.quantity - self.sent


class Fulfillment(models.Model):
    """The picking of an order whose stock is reserved. Closed, it never changes again.

    `version` counts its own changes; `change_number` those of all, and so puts them in the order in which they were.
    `priority` and `is_blocked` are what the rules make of the order: the higher comes first, a blocked one waits.
    """

    class State(models.TextChoices):
        OPEN = "open"
        PICKING = "picking"
        PARTLY_FULFILLED = "partly_fulfilled"
        FULFILLED = "fulfilled"
        REJECTED = "rejected"
        CANCELLED = "cancelled"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, db_index=False)
    order = models.OneToOneField(Order, on_delete=models.CASCADE)
    state = models.CharField(max_length=20, choices=State.choices, default=State.OPEN)
    is_closed = models.BooleanField(default=False)
    reason = models.CharField(max_length=1000, blank=True)
    priority = models.IntegerField(default=0)
    is_blocked = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=0)
    change_number = models.BigIntegerField(unique=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["organization", "is_closed", "-priority", "id"], name="pick_list")]

    def __str__(self) -> str:
        return f"{self.order}: {self.state}"


class Parcel(models.Model):
    """What left in one go: `lines` of sku, ext_order_line_item_id and quantity. `version` is its fulfilment's then."""

    fulfillment = models.ForeignKey(Fulfillment, on_delete=models.CASCADE, related_name="parcels")
    carrier = models.CharField(max_length=100, blank=True)
    number = models.CharField(max_length=100, blank=True)
    url = models.CharField(max_length=2000, blank=True)
    lines = models.JSONField()
    version = models.PositiveIntegerField()
    shipped_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.number or f"parcel {self.pk}"


class PickRule(models.Model):
    """Orders with this tag, of this shop or with this shipping method come before others, or are not picked at all."""

    class Kind(models.TextChoices):
        TAG = "tag"
        SHOP = "shop"
        SHIPPING_METHOD = "shipping_method"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="pick_rules")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    value = models.CharField(max_length=255, help_text="matches exactly; of a shop its ext_shop_id")
    priority = models.IntegerField(default=0)
    blocks = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


class AutoPick(models.Model):
    """Whether everything is picked by itself, `delay` seconds after it could be: one row, number 1."""

    enabled = models.BooleanField(default=False)
    delay = models.FloatField(default=0)

    def __str__(self) -> str:
        return "auto pick"

    @classmethod
    def current(cls) -> "AutoPick":
        return cls.objects.filter(pk=1).first() or cls(pk=1)


class Hook(models.Model):
    class Event(models.TextChoices):
        INVENTORY_LOG = "inventory_log.create"
        INVENTORY_LEVELS = "inventory_levels.update"
        FULFILLMENT_CREATED = "fulfillments.create"
        FULFILLMENT_UPDATED = "fulfillments.update"

    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="hooks")
    event_type = models.CharField(max_length=40, choices=Event.choices)
    target_url = models.CharField(max_length=2000)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "event_type"], name="one_hook_per_event")]

    def __str__(self) -> str:
        return self.event_type


def delivery_id() -> str:
    return uuid4().hex


class Delivery(models.Model):
    """One message to one hook. It waits until it is delivered, given up or, by a fault, dropped."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DELIVERED = "delivered"
        GIVEN_UP = "given_up"
        DROPPED = "dropped"

    id = models.CharField(primary_key=True, max_length=32, default=delivery_id)
    hook = models.ForeignKey(Hook, on_delete=models.CASCADE, related_name="deliveries")
    body = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    last_status = models.PositiveIntegerField(null=True, help_text="null: no answer, or none yet")
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["next_attempt_at"], condition=Q(state="waiting"), name="delivery_due")]

    def __str__(self) -> str:
        return self.id
