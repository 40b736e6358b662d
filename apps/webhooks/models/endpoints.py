"""Who hears of what: an address of theirs, and the events that are sent there."""

import uuid
from datetime import timedelta
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization, User
from apps.encrypted import Sealed
from apps.integrations.models import Integration, OwnQuerySet
from apps.shops.models import Shop
from apps.tenancy import SameOrganization

UNSERVED = timedelta(minutes=5)
CANNOT_OPEN = "cannot_open"  # the code of an endpoint whose secrets were sealed with a key that is gone
KEPT = timedelta(days=30)  # of a delivery that came to its end, so long can it be sent again


class EndpointQuerySet(OwnQuerySet):
    def kept(self) -> Self:
        """Those nobody took away. The row of another stays as long as what was sent there."""
        return self.filter(deleted_at=None)

    def for_principal(self, request: Any) -> Self:
        """A token knows of its own shop's alone, and of none without one; a person of all their organization has."""
        rows = super().for_principal(request)
        authorization = getattr(request.user, "authorization", None)
        return rows if authorization is None else rows.filter(shop__authorization=authorization)

    def holding(self) -> Self:
        """Those to which nothing goes out at present, by somebody's will or because they did not answer."""
        return self.kept().exclude(state=Endpoint.State.ACTIVE)

    def unserved(self) -> Self:
        """Something has been due there for minutes, and no dispatcher looks after it."""
        served = self.kept().filter(state=Endpoint.State.ACTIVE, organization__is_active=True)
        served = served.filter(integration__deleted_at=None).exclude(integration__state=Integration.State.DISABLED)
        served = served.exclude(shop__authorization__revoked_at__isnull=False)
        due = served.exclude(shop__is_active=False).filter(due_at__lt=Now() - UNSERVED)
        return due.exclude(lease_until__gt=Now())

    def unopened(self) -> Self:
        """Those to which nothing goes out since their secrets cannot be opened: seen by whoever last leased them."""
        return self.kept().filter(state=Endpoint.State.ACTIVE, last_error=CANNOT_OPEN)

    def ring(self) -> int:
        """There may be something to send, or something about them has changed: whoever serves them looks again."""
        return self.update(rung=F("rung") + 1, due_at=Now(), updated_at=Now())

    def failing(self) -> Self:
        """Those that did not take anything since `failing_since`."""
        return self.kept().exclude(failing_since=None)


class Endpoint(Sealed):
    """An address that somebody wants to hear at, and how it is doing. All hooks of one owner at one address share it.

    It is its `integration`'s, or without one the organization's own people's; with a `shop` it hears of that shop only.
    `secrets` holds the `headers` that its owner wants to be sent along. `reason` says why it is not active: `failing`
    (nothing was taken for days; probed now and then), `gone` (it answered 410) or `asked` (somebody paused it).

    Health: `failures` in a row, `failing_since` the first of them, `probe_at` when it is tried next while it fails
    (null: it may be sent to freely), `resumes` how often it came back by itself.
    Work: `due_at` is when there is something to be sent, `rung` grows whenever there may be more; one dispatcher at a
    time serves it, by lease and fence, so that what concerns one entity goes out in order.
    """

    class Format(models.TextChoices):
        STANDARD = "standard", _("Standard Webhooks")
        PIO = "pio", _("Pio")

    class State(models.TextChoices):
        ACTIVE = "active", _("Active")
        PAUSED = "paused", _("Paused")
        DISABLED = "disabled", _("Disabled")

    class Reason(models.TextChoices):
        ASKED = "asked", _("Somebody paused it")
        FAILING = "failing", _("Nothing was taken there for days")
        GONE = "gone", _("It answered that it wants nothing more")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="endpoints")
    integration = models.ForeignKey(Integration, models.CASCADE, null=True, blank=True, related_name="endpoints")
    shop = models.ForeignKey(Shop, models.CASCADE, null=True, blank=True, related_name="endpoints")
    url = models.CharField(_("address"), max_length=2000)
    name = models.CharField(max_length=200, blank=True)
    format = models.CharField(max_length=20, choices=Format, default=Format.STANDARD)
    state = models.CharField(max_length=20, choices=State, default=State.ACTIVE)
    reason = models.CharField(max_length=20, choices=Reason, blank=True)
    state_since = models.DateTimeField(db_default=Now())
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=30, blank=True)
    probe_at = models.DateTimeField(null=True, blank=True)
    resumes = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True, editable=False)
    rung = models.PositiveBigIntegerField(default=0, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    fence = models.PositiveBigIntegerField(default=0, editable=False)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    objects = EndpointQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "integration", "shop", "url", "format"],
                condition=Q(deleted_at=None),
                nulls_distinct=False,
                name="one_endpoint_per_address_of_an_owner",
            ),
            models.CheckConstraint(
                condition=Q(state="active", reason="") | (~Q(state="active") & ~Q(reason="")),
                name="an_endpoint_that_is_not_active_has_a_reason",
            ),
            models.UniqueConstraint(fields=["id", "organization"], name="an_endpoint_and_its_organization"),
            SameOrganization("integration", name="an_endpoints_integration_is_of_its_organization"),
            SameOrganization("shop", name="an_endpoints_shop_is_of_its_organization"),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="endpoints_to_be_served"),
        ]

    def __str__(self) -> str:
        return self.name or self.url.partition("?")[0]  # in a query may be a secret of somebody's

    @property
    def is_active(self) -> bool:
        return self.state == self.State.ACTIVE

    @property
    def is_unopened(self) -> bool:
        return self.is_active and self.last_error == CANNOT_OPEN

    @property
    def is_probed(self) -> bool:
        """Whether we find out by ourselves when it is well again."""
        return self.state == self.State.DISABLED and self.reason == self.Reason.FAILING


class SigningSecretQuerySet(OwnQuerySet):
    def live(self) -> Self:
        """Those that sign now, the newest first."""
        return self.filter(Q(not_after=None) | Q(not_after__gt=Now())).order_by("-created_at", "-id")


class SigningSecret(Sealed):
    """What an endpoint's messages are signed with. While one takes over from another, both sign (D15).

    `secrets` holds `key`, the text its owner was shown once: whsec_ and 32 random bytes in base64.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="signing_secrets")
    created_at = models.DateTimeField(db_default=Now())
    not_after = models.DateTimeField(null=True, blank=True)
    objects = SigningSecretQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [SameOrganization("endpoint", name="a_signing_secret_is_of_its_endpoints_organization")]

    def __str__(self) -> str:
        return f"Signing secret of {self.endpoint}"


class HookQuerySet(EndpointQuerySet):
    """As endpoints."""


class Hook(models.Model):
    """One event that goes to one endpoint, if it passes the `filter`. Its integration and shop are the endpoint's.

    `event` is the published name of it, `source` the type of event that it tells of: Pio's names and ours can name the
    same. `grant` is what whoever hears of it must be allowed to see.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="hooks")
    integration = models.ForeignKey(Integration, models.CASCADE, null=True, blank=True, related_name="hooks")
    shop = models.ForeignKey(Shop, models.CASCADE, null=True, blank=True, related_name="hooks")
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="hooks")
    event = models.CharField(max_length=50)
    source = models.CharField(max_length=50, editable=False)
    grant = models.CharField(max_length=50, editable=False)
    filter = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    objects = HookQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [
            # Behaviour 81. People may have an event sent to several addresses, a machine has one.
            models.UniqueConstraint(
                fields=["integration", "shop", "event"],
                condition=Q(deleted_at=None, integration__isnull=False),
                nulls_distinct=False,
                name="one_hook_per_event_of_a_shop",
            ),
            models.UniqueConstraint(
                fields=["endpoint", "event"], condition=Q(deleted_at=None), name="one_hook_per_event_of_an_endpoint"
            ),
            models.UniqueConstraint(fields=["id", "organization"], name="a_hook_and_its_organization"),
            SameOrganization("integration", name="a_hooks_integration_is_of_its_organization"),
            SameOrganization("shop", name="a_hooks_shop_is_of_its_organization"),
            SameOrganization("endpoint", name="a_hooks_endpoint_is_of_its_organization"),
        ]
        indexes = [
            models.Index(fields=["organization", "source"], condition=Q(deleted_at=None), name="hooks_of_an_event"),
        ]

    def __str__(self) -> str:
        return f"{self.event} → {self.endpoint}"
