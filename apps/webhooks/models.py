"""What happened, as a row each; and what other systems sent us, kept as it came before anything acts on it."""

import uuid
from datetime import timedelta
from typing import Self

from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization, TenantQuerySet
from apps.integrations.models import Integration
from apps.tenancy import SameOrganization


class Event(models.Model):
    """Something that happened to one entity, once; written in the transaction in which it happened.

    `sequence` counts the changes of that entity, without a gap. `data` is what cannot be looked up later; where it is
    null, the entity's row tells all.
    """

    class Type(models.TextChoices):
        PRODUCT_CREATED = "product.created", _("Product created")
        PRODUCT_UPDATED = "product.updated", _("Product changed")
        PRODUCT_ARCHIVED = "product.archived", _("Product no longer listed")
        STOCK_CHANGED = "stock.changed", _("Stock changed")
        ORDER_CREATED = "order.created", _("Order received")
        ORDER_UPDATED = "order.updated", _("Order changed")
        ORDER_CANCELLED = "order.cancelled", _("Order cancelled")
        FULFILLMENT_CREATED = "fulfillment.created", _("Fulfillment created")
        FULFILLMENT_UPDATED = "fulfillment.updated", _("Fulfillment changed")

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    type = models.CharField(max_length=50, choices=Type)
    entity = models.CharField(max_length=20)
    entity_id = models.CharField(max_length=36)
    sequence = models.PositiveBigIntegerField()
    data = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "entity", "entity_id", "sequence"], name="one_event_per_change_of_an_entity"
            )
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.entity_id}"


class Inbox(models.Model):
    """Where one integration's other side sends its webhooks: an address nobody can guess."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    integration = models.OneToOneField(Integration, models.CASCADE, related_name="inbox")
    token = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [SameOrganization("integration", name="an_inbox_is_of_its_integrations_organization")]
        verbose_name_plural = "inboxes"

    def __str__(self) -> str:
        return f"Inbox of {self.integration}"


LEASE = timedelta(seconds=30)
KEPT = timedelta(days=30)  # longer than any sender repeats itself


class ReceiptQuerySet(TenantQuerySet):
    def waiting(self) -> Self:
        """Those still to be opened, whose time has come, and that nobody is at.

        What came for an organization or an integration that is switched off waits until it is switched on.
        """
        free = Q(lease_until=None) | Q(lease_until__lt=Now())
        served = self.filter(organization__is_active=True).exclude(integration__state=Integration.State.DISABLED)
        return served.filter(free, state=Receipt.State.RECEIVED, next_attempt_at__lte=Now())

    def claim(self, *, most: int) -> list["Receipt"]:
        """Take the oldest waiting ones for LEASE; others that ask at the same time get others."""
        with transaction.atomic():
            waiting = self.waiting().order_by("next_attempt_at", "received_at").values_list("pk", flat=True)
            pks = list(waiting.select_for_update(skip_locked=True, of=("self",))[:most])
            taken = Receipt.objects.filter(pk__in=pks)
            taken.update(lease_until=Now() + LEASE, fence=F("fence") + 1, tries=F("tries") + 1)
        rows = taken.select_related("organization", "integration__partner", "integration__organization")
        return list(rows.order_by("received_at", "pk"))

    def ended_badly(self) -> Self:
        return self.filter(state__in=[Receipt.State.PARKED, Receipt.State.FAILED])

    def replay(self) -> int:
        """Those that were parked or failed are opened once more, the same rows. Returns how many."""
        return self.ended_badly().update(
            state=Receipt.State.RECEIVED, tries=0, error="", detail="", next_attempt_at=Now(), finished_at=None
        )

    def old(self) -> Self:
        """Ended longer ago than anybody asks about."""
        return self.exclude(state=Receipt.State.RECEIVED).filter(received_at__lt=Now() - KEPT)


class Receipt(models.Model):
    """A webhook that came in, as it came. `remote_id` is the sender's id of the delivery, kept when it is repeated."""

    class State(models.TextChoices):
        RECEIVED = "received", _("Waiting")
        DONE = "done", _("Done")
        PARKED = "parked", _("Parked")
        FAILED = "failed", _("Failed")
        REJECTED = "rejected", _("Rejected")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    integration = models.ForeignKey(Integration, models.CASCADE, related_name="receipts")
    remote_id = models.CharField(max_length=255, blank=True)
    event_type = models.CharField(max_length=100, blank=True)
    shop_ref = models.CharField(max_length=255, blank=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    state = models.CharField(max_length=20, choices=State, default=State.RECEIVED)
    error = models.CharField(max_length=50, blank=True)
    detail = models.TextField(blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    repeats = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(db_default=Now())
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    fence = models.PositiveIntegerField(default=0, editable=False)
    received_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)
    objects = ReceiptQuerySet.as_manager()

    class Meta:
        ordering = ["-received_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "integration", "remote_id"],
                condition=~Q(remote_id="") & ~Q(state="rejected"),
                name="one_receipt_per_delivery",
            ),
            models.UniqueConstraint(fields=["id", "organization"], name="a_receipt_and_its_organization"),
            SameOrganization("integration", name="a_receipts_integration_is_of_its_organization"),
        ]
        indexes = [
            models.Index(fields=["organization", "-received_at", "-id"], name="receipts_of_an_organization"),
            models.Index(fields=["next_attempt_at"], condition=Q(state="received"), name="receipts_to_be_opened"),
            models.Index(
                fields=["integration", "-received_at"], condition=Q(state="rejected"), name="refused_receipts"
            ),
            models.Index(fields=["received_at"], condition=~Q(state="received"), name="receipts_to_be_forgotten"),
            models.Index(fields=["integration", "error"], condition=Q(state="parked"), name="parked_receipts"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} of {self.received_at:%Y-%m-%d %H:%M}"

    def mine(self) -> ReceiptQuerySet:
        """This receipt, as long as nobody else has claimed it since."""
        return Receipt.objects.filter(pk=self.pk, fence=self.fence, state=self.State.RECEIVED)
