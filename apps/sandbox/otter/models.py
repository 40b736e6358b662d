"""Otter's side of the world. Passwords and client secrets are in clear: these accounts are simulated."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Listed(models.Model):
    """Something that Otter lists: `number` is its place in every list, `id` what the API calls it."""

    number = models.BigAutoField(primary_key=True)
    id = models.UUIDField(unique=True, default=uuid.uuid4)
    name = models.CharField(max_length=1000)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


class Organization(Listed):
    goods = models.CharField(max_length=10, help_text="what it sells: hats, shoes or gloves")


class User(models.Model):
    email = models.EmailField(unique=True)
    password = models.CharField(max_length=100)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="users")

    def __str__(self) -> str:
        return self.email


class Brand(Listed):
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="brands")


class Store(Listed):
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="stores")
    address = models.JSONField(null=True)


class Product(Listed):
    """A row of a store's inventory.

    Nothing but `id` is unique: a seller's numbers may be wrong or missing.
    """

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="products", db_index=False)
    sku = models.CharField(max_length=100, blank=True)
    gtin = models.CharField(max_length=14, blank=True)
    slug = models.CharField(max_length=300, blank=True)
    sellable = models.IntegerField(default=0)
    unsellable = models.IntegerField(default=0)
    inbound = models.IntegerField(default=0)
    price = models.BigIntegerField(null=True, help_text="in the currency's minor unit; null: no price")
    currency = models.CharField(max_length=3, default="EUR")
    picture = models.CharField(max_length=10, blank=True, help_text="the shape drawn on it; empty: no picture")
    is_suspended = models.BooleanField(db_default=False, help_text="off sale, whatever is there")
    availability_note = models.CharField(max_length=1000, blank=True, db_default="", help_text="why, as it was told")

    class Meta:
        indexes = [models.Index(fields=["store", "number"], name="product_page")]


class Application(models.Model):
    """A client of the API, as registered in the vendor's developer portal."""

    client_id = models.CharField(primary_key=True, max_length=100)
    client_secret = models.CharField(max_length=200)
    name = models.CharField(max_length=100)
    redirect_uris = models.JSONField(default=list)
    webhook_url = models.CharField(max_length=2000, blank=True, default="")
    webhook_secret = models.CharField(max_length=200, blank=True, default="")

    def __str__(self) -> str:
        return self.name


class Connection(models.Model):
    """An application's own identifier of a store."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE)
    store = models.ForeignKey(Store, on_delete=models.CASCADE)
    partner_id = models.CharField(max_length=255, help_text="the application's `storeId`")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["application", "store"], name="one_connection"),
            models.UniqueConstraint(fields=["application", "partner_id"], name="one_store_by_that_id"),
        ]

    def __str__(self) -> str:
        return self.partner_id


class Grant(models.Model):
    """A user's consent: one authorization code, and the family of tokens that came from it."""

    code = models.CharField(max_length=64, unique=True, help_text="its SHA-256")
    application = models.ForeignKey(Application, on_delete=models.CASCADE)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    redirect_uri = models.CharField(max_length=2000)
    scope = models.CharField(max_length=200)
    challenge = models.CharField(max_length=43, blank=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.application_id} for {self.user}"


class Token(models.Model):
    """An access or refresh token; without a grant it came from client credentials."""

    digest = models.CharField(max_length=64, unique=True, help_text="its SHA-256")
    is_refresh = models.BooleanField(default=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE)
    grant = models.ForeignKey(Grant, on_delete=models.CASCADE, null=True, related_name="tokens")
    scope = models.CharField(max_length=1000)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{'refresh' if self.is_refresh else 'access'} token of {self.application_id}"

    @classmethod
    def alive(cls) -> models.QuerySet["Token"]:
        """The tokens that still work."""
        return cls.objects.filter(Q(revoked_at=None), expires_at__gt=timezone.now())


class Order(models.Model):
    """What a customer ordered from a store at a marketplace (`source`). `payload` is it in the API's words."""

    number = models.BigAutoField(primary_key=True)
    id = models.UUIDField(unique=True, default=uuid.uuid4)
    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="orders")
    source = models.CharField(max_length=50)
    payload = models.JSONField()

    def __str__(self) -> str:
        return f"SB-{self.number:05}"

    @property
    def status(self) -> str:
        return self.payload["status"]

    @property
    def items(self) -> list[dict]:
        return self.payload["items"]

    @property
    def is_over(self) -> bool:
        return self.status in ("CANCELED", "REJECTED", "FULFILLED")


class OrderEntry(models.Model):
    """The ledger: what was done to an order, each time it was done."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="entries")
    what = models.CharField(max_length=40)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.what


class Message(models.Model):
    """One webhook to an application. It waits until it is delivered, given up or, by a fault, dropped."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DELIVERED = "delivered"
        GIVEN_UP = "given_up"
        DROPPED = "dropped"

    event_id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    application = models.ForeignKey(Application, on_delete=models.CASCADE)
    event_type = models.CharField(max_length=40)
    body = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    last_status = models.PositiveIntegerField(null=True, help_text="null: no answer, or none yet")
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["next_attempt_at"], condition=Q(state="waiting"), name="message_due")]

    def __str__(self) -> str:
        return self.event_type
