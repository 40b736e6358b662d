"""What is owed to each hook, what each try got, and whom we told when an endpoint was in trouble."""

import uuid
from datetime import timedelta
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization, TenantQuerySet
from apps.integrations.models import Integration, OwnQuerySet
from apps.shops.models import Shop
from apps.tenancy import SameOrganization

from .endpoints import Endpoint, Hook
from .events import Event

LATELY = timedelta(days=3)  # so long is it of use to look at a message that failed or was refused


class DeliveryQuerySet(TenantQuerySet):
    def for_principal(self, request: Any) -> Self:
        """What goes to hooks that they may know of."""
        return super().for_principal(request).filter(hook__in=Hook.objects.for_principal(request))

    def undone(self) -> Self:
        return self.filter(state__in=Delivery.UNDONE)

    def held(self) -> Self:
        """Kept for an endpoint to which nothing goes out at present."""
        return self.undone().filter(endpoint__in=Endpoint.objects.holding())

    def unsent(self) -> Self:
        """To be sent, at endpoints that nobody serves: dispatchers are down, or too few."""
        return self.filter(state=Delivery.State.PENDING, endpoint__in=Endpoint.objects.unserved())

    def came_to_nothing(self) -> Self:
        """Given up, and could be sent once more: the hook is still wanted."""
        return self.filter(state=Delivery.State.FAILED, hook__deleted_at=None)

    def lately(self) -> Self:
        """Those that people want to hear of since they ended."""
        return self.filter(finished_at__gt=Now() - LATELY)


class Delivery(models.Model):
    """One event, owed to one hook. Its id is the same at each try, and whoever gets it twice knows it by that.

    `lane` is the entity it is about: of one endpoint, what is in one lane goes out one after the other, in the order
    of the ids. `waiting` is for its next try, at `next_attempt_at`; `behind` for one before it in its lane. `tries`
    counts since it was last sent off anew, `first_tried_at` is when that began. `status` and `error` are of the last
    try. A delivery of an endpoint that is paused or disabled is held: that is the endpoint's to say, and no state here.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("To be sent")
        WAITING = "waiting", _("Will be tried again")
        BEHIND = "behind", _("Behind another")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Failed")
        DROPPED = "dropped", _("Dropped")

    UNDONE = [State.PENDING, State.WAITING, State.BEHIND]

    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    endpoint = models.ForeignKey(
        Endpoint, models.CASCADE, related_name="deliveries", db_index=False, db_constraint=False
    )
    hook = models.ForeignKey(Hook, models.CASCADE, related_name="deliveries", db_index=False, db_constraint=False)
    event = models.ForeignKey(Event, models.CASCADE, related_name="deliveries", db_index=False, db_constraint=False)
    lane = models.CharField(max_length=60)
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    tries = models.PositiveSmallIntegerField(default=0)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(max_length=30, blank=True)
    first_tried_at = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["hook", "event"], name="one_delivery_of_an_event_to_a_hook"),
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="deliveries_of_an_organization"),
            models.Index(fields=["endpoint", "id"], condition=Q(state="pending"), name="deliveries_to_be_sent"),
            models.Index(
                fields=["endpoint", "next_attempt_at"],
                condition=Q(state="waiting"),
                name="deliveries_to_be_tried_again",
            ),
            models.Index(fields=["endpoint", "lane"], condition=Q(state="behind"), name="deliveries_behind_another"),
            models.Index(
                fields=["endpoint", "error"],
                include=["hook", "organization", "finished_at"],
                condition=Q(state="failed"),
                name="failed_deliveries",
            ),
            models.Index(fields=["finished_at"], condition=Q(state="failed"), name="failed_deliveries_by_their_end"),
            models.Index(
                fields=["id"],
                condition=Q(state="waiting", next_attempt_at__isnull=False),
                name="deliveries_waiting_by_age",
            ),
            models.Index(
                fields=["finished_at"],
                include=["state"],
                condition=Q(finished_at__isnull=False),
                name="deliveries_by_their_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.message_id} {self.lane}"

    @property
    def message_id(self) -> str:
        """What its receiver knows it by (`webhook-id`, `X-Pio-Delivery-Id`)."""
        return f"msg_{self.pk}"


class AttemptQuerySet(TenantQuerySet):
    def for_principal(self, request: Any) -> Self:
        rows = super().for_principal(request)
        return rows.filter(delivery__in=Delivery.objects.for_principal(request))


class Attempt(models.Model):
    """One try of one delivery, and what came back: the first bytes of the answer, or a code for why there was none."""

    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempts", db_index=False, db_constraint=False)
    url = models.CharField(max_length=2000)
    started_at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField()
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(max_length=30, blank=True)
    headers = models.JSONField(default=dict, blank=True)
    body = models.TextField(blank=True)
    objects = AttemptQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["delivery", "id"], name="attempts_of_a_delivery")]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M:%S} {self.status or self.error}"


class Notice(models.Model):
    """Something its owner and the 3PL have to know about an endpoint, written with the change that it tells of.

    Mail about it goes out afterwards, to each of the two by itself: `sent_at` is null until it has to both.
    """

    class Stage(models.TextChoices):
        STREAK = "streak", _("It did not take anything several times in a row")
        HALF_WAY = "half_way", _("It will be disabled if it stays like this")
        DISABLED = "disabled", _("It was disabled")
        RESUMED = "resumed", _("It is well again")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="notices")
    stage = models.CharField(max_length=20, choices=Stage)
    failures = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=30, blank=True)
    event_type = models.CharField(max_length=50, blank=True)
    held = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    owners_told_at = models.DateTimeField(null=True, blank=True)
    operators_told_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [SameOrganization("endpoint", name="a_notice_is_of_its_endpoints_organization")]
        indexes = [models.Index(fields=["created_at"], condition=Q(sent_at=None), name="notices_to_be_mailed")]

    def __str__(self) -> str:
        return f"{self.get_stage_display()}: {self.endpoint}"


class MessageQuerySet(OwnQuerySet):
    def for_principal(self, request: Any) -> Self:
        """A shop's own token knows of what came from, and goes to, that shop alone."""
        rows = super().for_principal(request)
        authorization = getattr(request.user, "authorization", None)
        return rows if authorization is None else rows.filter(shop__authorization=authorization)


class Message(models.Model):
    """One message that came in or goes out: receipts and deliveries side by side (behaviour 94). A view, not a table.

    `id` is `in_` or `out_` and the row's own. `status` in Pipe17's words: completed, acknowledged (taken over and not
    yet through) or failed. `ref` is what the entity is found by: its id, or a sender's id of the delivery. Either
    `receipt` or `delivery` is what it stands for; `hook` is the delivery's.
    """

    class Direction(models.TextChoices):
        IN = "in", _("In")
        OUT = "out", _("Out")

    class Status(models.TextChoices):
        COMPLETED = "completed", _("Completed")
        ACKNOWLEDGED = "acknowledged", _("Acknowledged")
        FAILED = "failed", _("Failed")

    id = models.CharField(primary_key=True, max_length=50)
    organization = models.ForeignKey(Organization, models.DO_NOTHING, related_name="+")
    integration = models.ForeignKey(Integration, models.DO_NOTHING, null=True, related_name="+")
    shop = models.ForeignKey(Shop, models.DO_NOTHING, null=True, related_name="+")
    direction = models.CharField(max_length=3, choices=Direction)
    type = models.CharField(max_length=100)
    entity = models.CharField(max_length=20)
    ref = models.CharField(max_length=255)
    status = models.CharField(max_length=12, choices=Status)
    error = models.CharField(max_length=50)
    created_at = models.DateTimeField()
    receipt = models.ForeignKey("webhooks.Receipt", models.DO_NOTHING, null=True, related_name="+")
    delivery = models.ForeignKey(Delivery, models.DO_NOTHING, null=True, related_name="+")
    hook = models.ForeignKey(Hook, models.DO_NOTHING, null=True, related_name="+")
    objects = MessageQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "webhooks_message"
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.type} {self.ref}"

    @property
    def row_id(self) -> str:
        """The id of the receipt or delivery that it stands for."""
        return self.id.partition("_")[2]
