"""A connector put to work in an organization, and the permissions it holds at the other side."""

import hashlib
import uuid
from datetime import timedelta
from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization, TenantQuerySet, User
from apps.encrypted import Sealed

from .connectors import Connector, environment, get_connector


class IntegrationQuerySet(TenantQuerySet):
    def connected(self) -> Self:
        return self.filter(state=Integration.State.CONNECTED)

    def of(self, connector: Connector) -> Self:
        return self.filter(connector=connector.slug)


class Integration(models.Model):
    """One connector at work in one organization, for one account at the other side.

    `account_ref` is that account's id there (empty until the first login), `account_name` what it is called.
    `brands_cursor` is where listing its brands goes on; `brands_listed_at` when that list was last complete.
    """

    class State(models.TextChoices):
        NOT_CONFIGURED = "not_configured", _("Not configured")
        CONNECTED = "connected", _("Connected")
        NEEDS_RECONNECT = "needs_reconnect", _("Needs reconnect")
        DISABLED = "disabled", _("Disabled")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="integrations")
    connector = models.CharField(max_length=50)
    name = models.CharField(max_length=200)
    state = models.CharField(max_length=20, choices=State, default=State.NOT_CONFIGURED)
    state_reason = models.TextField(blank=True)
    account_ref = models.CharField(max_length=255, blank=True)
    account_name = models.TextField(blank=True)
    settings = models.JSONField(default=dict, blank=True)
    brands_cursor = models.TextField(blank=True, editable=False)
    brands_listed_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    objects = IntegrationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "connector", "account_ref"],
                condition=~models.Q(account_ref=""),
                name="one_integration_per_account_in_an_organization",
            )
        ]
        indexes = [models.Index(fields=["organization", "state"], name="integrations_by_state")]

    def __str__(self) -> str:
        return self.name

    @property
    def kind(self) -> Connector:
        """The connector's facts. Raises UnknownConnector when the operator has removed it."""
        return get_connector(self.connector)

    @property
    def address(self) -> str:
        """Where the other side is: what the owner typed, else what the operator set."""
        return self.settings.get("address") or environment(self.kind)["URL"]

    @property
    def source(self) -> str:
        """The name under which brands and stores remember that this account told us about them."""
        return f"{self.connector}:{self.account_ref}"

    @property
    def is_connected(self) -> bool:
        return self.state == self.State.CONNECTED

    @property
    def needs_reconnect(self) -> bool:
        return self.state == self.State.NEEDS_RECONNECT

    def lose_permission(self, reason: str) -> None:
        """The other side refuses us: its work is held until the owner logs in there again."""
        connected = Integration.objects.filter(pk=self.pk).connected()
        connected.update(state=self.State.NEEDS_RECONNECT, state_reason=reason, updated_at=timezone.now())
        self.refresh_from_db(fields=["state", "state_reason"])

    def connect(self, account_ref: str, account_name: str) -> None:
        """The owner gave permission for this account."""
        self.account_ref, self.account_name = account_ref, account_name
        self.state, self.state_reason = self.State.CONNECTED, ""
        self.brands_cursor, self.brands_listed_at = "", None
        self.save()


class Credential(Sealed):
    """What the other side gave us for one integration: tokens or keys, encrypted and bound to this row."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    integration = models.OneToOneField(Integration, models.CASCADE, related_name="credential")
    expires_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)
    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Credential of {self.integration}"


class ApplicationToken(Sealed):
    """The 3PL's own token at a platform, from the deployment's client credentials; shared by all tenants."""

    connector = models.CharField(max_length=50, primary_key=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"Application token at {self.connector}"


class AttemptQuerySet(TenantQuerySet):
    def by_state(self, state: str) -> Self:
        return self.filter(state_digest=hashlib.sha256(state.encode()).digest())


class AuthorizationAttempt(Sealed):
    """One trip of one person to their platform's login page. Its `state` value can be used once (RFC 6749 10.12).

    Sealed inside: the PKCE verifier (RFC 7636). `browser_digest` binds it to the browser it began in, by a cookie.
    `integration` is set when an existing one is to be reconnected. `subject` is what the permission is wanted for,
    in the words of whoever began.
    """

    LIFETIME = timedelta(minutes=15)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    connector = models.CharField(max_length=50)
    integration = models.ForeignKey(Integration, models.CASCADE, null=True, blank=True, related_name="attempts")
    subject = models.UUIDField()
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    state_digest = models.BinaryField(max_length=32)
    browser_digest = models.BinaryField(max_length=32)
    is_restart = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=50, blank=True)
    detail = models.TextField(blank=True)
    objects = AttemptQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["state_digest"], name="one_attempt_per_state")]
        indexes = [models.Index(fields=["organization", "-created_at"], name="attempts_of_an_organization")]

    def __str__(self) -> str:
        return f"{self.user} at {self.connector}, {self.created_at:%Y-%m-%d %H:%M}"

    def spend(self) -> bool:
        """Use it up. Only one caller ever gets True, and only while it has not expired."""
        unused = type(self).objects.filter(pk=self.pk, used_at=None, expires_at__gt=timezone.now())
        return bool(unused.update(used_at=timezone.now()))

    def end(self, outcome: str, detail: str = "") -> None:
        self.outcome, self.detail = outcome, detail[:2000].replace("\x00", "")
        self.save(update_fields=["outcome", "detail"])
