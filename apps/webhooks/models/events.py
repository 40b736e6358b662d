"""What happened, as a row each; and which of it has still to be given to those who asked to hear of it."""

from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization, TenantQuerySet

OVERDUE = timedelta(minutes=1)


class Event(models.Model):
    """Something that happened to one entity, once; written in the transaction in which it happened.

    `sequence` counts the changes of that entity, without a gap. `data` is what cannot be looked up later; where it is
    null, the entity's row tells all. When the first hook is to hear of it, what the entity's room says of it is added
    to `data`, once: from then on it tells everybody the same.
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
        CONNECTION_UPDATED = "connection.updated", _("Connection changed")
        INTEGRATION_UPDATED = "integration.updated", _("Integration changed")
        SYNC_FINISHED = "sync_run.finished", _("Sync finished")

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


class OutgoingQuerySet(TenantQuerySet):
    def overdue(self) -> Self:
        """Those of events that happened more than a minute ago, with `created_at` of that."""
        return self.annotate(created_at=F("event__created_at")).filter(created_at__lt=Now() - OVERDUE)


class Outgoing(models.Model):
    """An event that some hook asked for and that has not been given to the hooks yet.

    A trigger writes it with the event, so that no writer of events can forget it.
    """

    event = models.OneToOneField(Event, models.CASCADE, primary_key=True, related_name="+", db_constraint=False)
    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    objects = OutgoingQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "outgoing"

    def __str__(self) -> str:
        return str(self.event)
