"""A connector put to work in an organization."""

import uuid
from typing import Any, Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization, Store, TenantQuerySet, User
from apps.encrypted import Sealed
from apps.tenancy import SameOrganization

from ..connectors import Connector, environment, get_connector
from .partners import PartnerConnector


class OwnQuerySet(TenantQuerySet):
    """Rows that each belong to one integration."""

    def for_principal(self, request: Any) -> Self:
        """What a machine may know of: its own integration's rows, unless it was given its whole organization's."""
        rows = super().for_principal(request)
        own = getattr(request.user, "own", None)
        return rows if own is None else rows.filter(integration=own)


class IntegrationQuerySet(TenantQuerySet):
    def kept(self) -> Self:
        """Those nobody deleted. A deleted one's row stays for what hangs on it, and comes back with new permission."""
        return self.filter(deleted_at=None)

    def for_principal(self, request: Any) -> Self:
        """What a machine may know of: its own integration, unless it was given its whole organization's."""
        rows = super().for_principal(request).kept()
        own = getattr(request.user, "own", None)
        return rows if own is None else rows.filter(pk=own.pk)

    def connected(self) -> Self:
        return self.filter(state=Integration.State.CONNECTED)

    def of(self, connector: Connector) -> Self:
        return self.filter(connector=connector.slug)


class Integration(models.Model):
    """One connector at work in one organization, for one account at the other side. The principal of machine calls.

    `connector` is the slug of one in the code, or the id of `partner`. `account_ref` is the account's id there (empty
    until the first login), `account_name` what it is called. `brands_cursor` is where listing its brands goes on;
    `brands_listed_at` when that list was last complete. `grants` is what it may do here; an application that was
    consented to for some stores only `reaches_all_stores` no more. `state_before` is what enabling goes back to.
    `org_wide_access` and `applied_version` are what an admin took over from a custom connector's definition: with the
    first its keys see all of the organization, without it their own (behaviours 24 and 25).
    `stock_buffer` is how many pieces of each SKU its platform is not told of (behaviour 67), `order_hold_seconds` how
    long its new orders may still change before they go to a warehouse (Pipe17: contracts 2.8).
    The `…_sync_updated_at` are the last known changes at the other side (behaviour 41); stock flows out and has none.
    """

    class State(models.TextChoices):
        NOT_CONFIGURED = "not_configured", _("Not configured")
        CONNECTED = "connected", _("Connected")
        NEEDS_RECONNECT = "needs_reconnect", _("Needs reconnect")
        DISABLED = "disabled", _("Disabled")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="integrations")
    connector = models.CharField(max_length=50)
    partner = models.ForeignKey(PartnerConnector, models.CASCADE, null=True, blank=True, related_name="integrations")
    name = models.CharField(max_length=200)
    state = models.CharField(max_length=20, choices=State, default=State.NOT_CONFIGURED)
    state_reason = models.TextField(blank=True)
    account_ref = models.CharField(max_length=255, blank=True)
    account_name = models.TextField(blank=True)
    state_before = models.CharField(max_length=20, blank=True, editable=False)
    settings = models.JSONField(default=dict, blank=True)
    grants = models.JSONField(default=list, blank=True)
    reaches_all_stores = models.BooleanField(default=True)
    org_wide_access = models.BooleanField(default=False)
    applied_version = models.PositiveIntegerField(null=True, blank=True)
    order_sync_enabled = models.BooleanField(default=True)
    order_sync_updated_at = models.DateTimeField(null=True, blank=True, editable=False)
    product_sync_enabled = models.BooleanField(default=True)
    product_sync_updated_at = models.DateTimeField(null=True, blank=True, editable=False)
    stock_sync_enabled = models.BooleanField(default=True)
    stock_buffer = models.PositiveIntegerField(default=0)
    order_hold_seconds = models.PositiveIntegerField(default=600)
    brands_cursor = models.TextField(blank=True, editable=False)
    brands_listed_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    objects = IntegrationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "connector", "account_ref"],
                condition=~models.Q(account_ref=""),
                name="one_integration_per_account_in_an_organization",
            ),
            models.UniqueConstraint(fields=["organization", "partner"], name="one_integration_per_partner_connector"),
            models.UniqueConstraint(fields=["id", "organization"], name="an_integration_and_its_organization"),
        ]
        indexes = [models.Index(fields=["organization", "state"], name="integrations_by_state")]

    def __str__(self) -> str:
        return self.name

    @property
    def kind(self) -> Connector:
        """The connector's facts. Raises UnknownConnector when the operator has removed it."""
        return self.partner.facts if self.partner else get_connector(self.connector)

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
    def is_disabled(self) -> bool:
        return self.state == self.State.DISABLED

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
        self.state, self.state_reason, self.deleted_at = self.State.CONNECTED, "", None
        self.brands_cursor, self.brands_listed_at = "", None
        self.save()


class ReachableStore(models.Model):
    """A store that an application was consented to for, when it was not for all."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    integration = models.ForeignKey(Integration, models.CASCADE, related_name="reachable_stores")
    store = models.ForeignKey(Store, models.CASCADE, related_name="+")
    objects = OwnQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["integration", "store"], name="a_store_is_reachable_once"),
            SameOrganization("integration", name="a_store_is_reachable_for_an_integration_of_its_organization"),
            SameOrganization("store", name="a_reachable_store_is_of_its_organization"),
        ]

    def __str__(self) -> str:
        return f"{self.integration}: {self.store}"


class SecretSettings(Sealed):
    """The values of an integration's secret settings, by key. Never shown again (behaviour 37)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    integration = models.OneToOneField(Integration, models.CASCADE, related_name="secret_settings")
    updated_at = models.DateTimeField(auto_now=True)
    objects = OwnQuerySet.as_manager()

    class Meta:
        constraints = [SameOrganization("integration", name="secret_settings_are_of_their_organization")]

    def __str__(self) -> str:
        return f"Secret settings of {self.integration}"
