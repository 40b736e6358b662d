"""What other systems sent us, kept as it came before anything acts on it."""

import uuid
from datetime import timedelta
from typing import Self

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db import models, transaction
from django.db.models import Count, F, Max, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.accounts.models import Organization, TenantQuerySet
from apps.encrypted import Sealed
from apps.integrations.models import Integration, OwnQuerySet
from apps.tenancy import SameOrganization

from .deliveries import LATELY


class InboxQuerySet(OwnQuerySet):
    def of_custom(self) -> Self:
        """Those of custom integrations, whose senders sign as the inbox says."""
        return self.exclude(scheme="")

    def out_of_time(self) -> Self:
        """Those that refused several messages within the last hour for their time alone; `refused_at` is the last."""
        late = Q(integration__receipts__state="rejected", integration__receipts__error=BAD_TIME)
        late &= Q(integration__receipts__received_at__gt=Now() - SKEWED_FOR)
        refused = self.filter(late).annotate(late=Count("integration__receipts"))
        return refused.filter(late__gte=SKEWED_TIMES).annotate(refused_at=Max("integration__receipts__received_at"))

    def mended_lately(self) -> Self:
        """Those whose other side had forgotten to send us something, and was told again."""
        return self.filter(mended_at__gt=Now() - timedelta(days=1))


class Inbox(models.Model):
    """Where one integration's other side sends its webhooks: an address nobody can guess.

    `scheme` and `terms` say how a custom integration's sender signs; empty where the connector knows it by itself.
    Where we register our webhooks by ourselves, `registered` are the events that the other side is to tell us, as of
    `checked_at`; at `mended_at` some were found to be gone there, `mended`, and were registered once more.
    """

    class Scheme(models.TextChoices):
        STANDARD = "standard", _("Standard Webhooks")
        HMAC = "hmac", _("HMAC-SHA256 in a header")

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    integration = models.OneToOneField(Integration, models.CASCADE, related_name="inbox")
    token = models.CharField(max_length=64, unique=True)
    scheme = models.CharField(max_length=20, choices=Scheme, blank=True)
    terms = models.JSONField(default=dict, blank=True)
    registered = models.JSONField(default=list, blank=True, editable=False)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    mended = models.JSONField(default=list, blank=True, editable=False)
    mended_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    objects = InboxQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["id", "organization"], name="an_inbox_and_its_organization"),
            SameOrganization("integration", name="an_inbox_is_of_its_integrations_organization"),
        ]
        verbose_name_plural = "inboxes"

    def __str__(self) -> str:
        return f"Inbox of {self.integration}"

    @property
    def hooks_there(self) -> str:
        """Whether the other side is registered to tell us, in words. Empty where we register nothing."""
        if self.checked_at is None:
            return ""
        n, when = len(self.registered), naturaltime(self.checked_at)
        text = ngettext("%(n)d is registered, looked at %(when)s", "all %(n)d are registered, looked at %(when)s", n)
        return text % {"n": n, "when": when}


class InboxSecretQuerySet(TenantQuerySet):
    def live(self) -> Self:
        """Those that a message may be signed with now, the newest first."""
        return self.filter(Q(not_after=None) | Q(not_after__gt=Now())).order_by("-created_at", "-id")


class InboxSecret(Sealed):
    """What the sender of a custom integration signs with. While one takes over from another, both are accepted (D15).

    `secrets` holds `key`, the text that was shown once: whsec_ and 32 random bytes in base64.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    inbox = models.ForeignKey(Inbox, models.CASCADE, related_name="own_secrets")
    created_at = models.DateTimeField(db_default=Now())
    not_after = models.DateTimeField(null=True, blank=True)
    objects = InboxSecretQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [SameOrganization("inbox", name="an_inbox_secret_is_of_its_inboxs_organization")]

    def __str__(self) -> str:
        return f"Secret of {self.inbox}"


LEASE = timedelta(seconds=30)
KEPT = timedelta(days=30)  # longer than any sender repeats itself
OVERDUE = timedelta(minutes=1)
BAD_TIME = "bad_time"
SKEWED_FOR, SKEWED_TIMES = timedelta(hours=1), 3  # one message too late is an accident, several are a wrong clock


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

    def unopened(self) -> Self:
        """Those that could have been opened a minute ago: the workers are down, or too few."""
        return self.waiting().filter(next_attempt_at__lt=Now() - OVERDUE)

    def lately(self, state: str) -> Self:
        """Those of one state that people want to hear of."""
        return self.filter(state=state, received_at__gt=Now() - LATELY)

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
            models.Index(fields=["received_at"], name="receipts_by_age"),
            models.Index(fields=["received_at"], condition=Q(state="failed"), name="failed_receipts"),
            models.Index(fields=["integration", "error"], condition=Q(state="parked"), name="parked_receipts"),
            models.Index(fields=["received_at"], condition=Q(state="parked"), name="parked_receipts_by_age"),
            models.Index(fields=["received_at"], condition=Q(state="rejected"), name="refused_receipts_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} of {self.received_at:%Y-%m-%d %H:%M}"

    def mine(self) -> ReceiptQuerySet:
        """This receipt, as long as nobody else has claimed it since."""
        return Receipt.objects.filter(pk=self.pk, fence=self.fence, state=self.State.RECEIVED)
