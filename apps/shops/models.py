"""A shop, and the connection of an integration to one store. A draft Connection is the wizard's state."""

import uuid
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.db.models import Case, F, Q, When
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Brand, Organization, Store
from apps.integrations.connectors import Connector, get_connector
from apps.integrations.connectors.base import StoreRef
from apps.integrations.models import Authorization, Integration, OwnQuerySet
from apps.tenancy import SameOrganization

# Otter's rule for a partner's store id (contracts 3.2, behaviour 54); every platform gets an id that keeps it.
printable_ascii = RegexValidator(
    r"\A[\x20-\x7e]{1,255}\Z", _("Use 1 to 255 letters, digits or signs of a plain keyboard (no accents).")
)


LEASE = timedelta(seconds=60)  # longer than the few calls to a platform that connecting takes


class ShopQuerySet(OwnQuerySet):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def close(self) -> int:
        """Deactivate them; their own tokens are void at once. Returns how many were still open."""
        Authorization.objects.filter(shop__in=self.active()).revoke("shop closed")
        return self.active().update(is_active=False, deactivated_at=Now())

    def for_principal(self, request: Any) -> Self:
        """A shop's own token knows of no other shop (behaviour 48)."""
        rows = super().for_principal(request)
        authorization = getattr(request.user, "authorization", None)
        return rows if authorization is None else rows.filter(authorization=authorization)


class Shop(models.Model):
    """What products, orders and hooks hang on. `ext_shop_id` is the id the other side knows it by.

    `authorization` is the one whose token created it over the API; it is no other shop's (behaviour 46). What it
    lists under a SKU that is nobody's becomes a product if it `creates_products`, else it waits to be linked. Where
    stock here and there differs by up to `drift_limit` pieces of a SKU, it is put right without asking.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="shops")
    integration = models.ForeignKey(Integration, models.PROTECT, related_name="shops")
    store = models.ForeignKey(Store, models.PROTECT, null=True, blank=True, related_name="shops")
    name = models.CharField(max_length=200)
    ext_shop_id = models.CharField(max_length=255, validators=[printable_ascii])
    authorization = models.OneToOneField(
        Authorization, models.SET_NULL, null=True, blank=True, related_name="shop", editable=False
    )
    is_active = models.BooleanField(default=True)
    creates_products = models.BooleanField(default=True)
    drift_limit = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    deactivated_at = models.DateTimeField(null=True, blank=True, editable=False)
    objects = ShopQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "ext_shop_id"], name="ext_shop_id_is_unique_in_an_organization"
            ),
            models.UniqueConstraint(
                fields=["integration", "ext_shop_id"], name="ext_shop_id_is_unique_in_an_integration"
            ),
            models.UniqueConstraint(fields=["integration", "store"], name="one_shop_per_store_of_an_integration"),
            models.UniqueConstraint(fields=["id", "organization"], name="a_shop_and_its_organization"),
            SameOrganization("integration", name="a_shops_integration_is_of_its_organization"),
            SameOrganization("store", name="a_shops_store_is_of_its_organization"),
            SameOrganization("authorization", name="a_shops_authorization_is_of_its_organization"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def has_token(self) -> bool:
        """Whether a token speaks for it: what that came of was not revoked, as it is when the shop is closed."""
        return self.authorization is not None and self.authorization.revoked_at is None


class ConnectionQuerySet(OwnQuerySet):
    def drafts(self) -> Self:
        return self.filter(state=Connection.State.DRAFT)

    def held_stores(self) -> Self:
        """Those that occupy their store: everything from the moment Connect is pressed until it is disconnected."""
        return self.filter(state__in=Connection.HOLDING)

    def with_shared_ids(self, connector: str) -> Self:
        """All organizations' stores whose ids at this connector's platform must differ."""
        return self.held_stores().filter(connector=connector, ids_are_shared=True)

    def live(self) -> Self:
        return self.filter(state=Connection.State.ACTIVE)

    def shown(self) -> Self:
        """What an owner sees at home."""
        return self.exclude(state=Connection.State.DISCONNECTED)

    def hanging(self) -> Self:
        """Claimed for connecting by somebody who did not come back."""
        left = self.filter(state=Connection.State.CONNECTING, lease_until__lt=timezone.now())
        return left.filter(organization__is_active=True)

    def to_be_disconnected(self) -> Self:
        """Disconnected by their owner, whose time to think again is over, and nobody is at it."""
        now = timezone.now()
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        return self.filter(free, state=Connection.State.DISCONNECTING, disconnect_at__lte=now)

    def leave(self, *, at: datetime) -> int:
        """Of these, the connected ones read nothing from now on; their platforms are told at this time."""
        connected = self.filter(state__in=[Connection.State.ACTIVE, Connection.State.PAUSED])
        was_paused = Case(When(state=Connection.State.PAUSED, then=True), default=False)
        leaving = Connection.State.DISCONNECTING
        return connected.update(was_paused=was_paused, state=leaving, disconnect_at=at, lease_until=None)

    def with_everything(self) -> Self:
        return self.select_related("organization", "integration__partner", "brand", "store", "shop", "connected_by")

    @transaction.atomic
    def claim(self, pk: Any, **changes: Any) -> "Connection | None":
        """Take one row of this set under a lease, with these changes.

        Its lock decides who gets it: whoever waited for that looks at it again. An UPDATE over a join would not.
        """
        won = self.select_for_update(of=("self",), no_key=True).filter(pk=pk).first()
        if won is None:
            return None
        until = timezone.now() + LEASE
        Connection.objects.filter(pk=pk).update(lease_until=until, fence=F("fence") + 1, **changes)
        return Connection.objects.with_everything().get(pk=pk)


class Connection(models.Model):
    """An integration bound to one store, or to a warehouse, under the identifier it has there (`ext_shop_id`).

    While a draft, it is what an owner has chosen so far. `replaces` is the id the platform held when the owner agreed
    to its replacement. `ids_are_shared`: its platform knows all organizations' stores by one set of ids, and is no
    server of this customer's own. `was_paused` is what an undone disconnect goes back to. `fence` grows with each
    claim, so that whoever lost their lease can no longer write.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Being set up")
        CONNECTING = "connecting", _("Connecting")
        ACTIVE = "active", _("Connected")
        PAUSED = "paused", _("Paused")
        DISCONNECTING = "disconnecting", _("Disconnecting")
        DISCONNECTED = "disconnected", _("Disconnected")

    HOLDING = [State.CONNECTING, State.ACTIVE, State.PAUSED, State.DISCONNECTING]

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="connections")
    connector = models.CharField(max_length=50)
    integration = models.ForeignKey(Integration, models.CASCADE, null=True, blank=True, related_name="connections")
    brand = models.ForeignKey(Brand, models.SET_NULL, null=True, blank=True, related_name="+")
    store = models.ForeignKey(Store, models.PROTECT, null=True, blank=True, related_name="connections")
    shop = models.ForeignKey(Shop, models.PROTECT, null=True, blank=True, related_name="connections")
    name = models.CharField(max_length=200, blank=True)
    ext_shop_id = models.CharField(max_length=255, blank=True, validators=[printable_ascii])
    ids_are_shared = models.BooleanField(default=True, editable=False)
    replaces = models.CharField(max_length=255, blank=True)
    state = models.CharField(max_length=20, choices=State, default=State.DRAFT)
    problem = models.CharField(max_length=50, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    connected_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    connected_at = models.DateTimeField(null=True, blank=True)
    disconnect_at = models.DateTimeField(null=True, blank=True)
    was_paused = models.BooleanField(default=False, editable=False)
    heard_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    fence = models.PositiveIntegerField(default=0, editable=False)
    objects = ConnectionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["integration", "store"],
                condition=Q(state__in=["connecting", "active", "paused", "disconnecting"]),
                name="one_connection_per_store_of_an_integration",
            ),
            models.UniqueConstraint(
                fields=["integration"],
                condition=Q(state__in=["connecting", "active", "paused", "disconnecting"], store=None),
                name="one_connection_of_a_warehouse",
            ),
            models.UniqueConstraint(
                fields=["organization", "ext_shop_id"],
                condition=Q(state__in=["connecting", "active", "paused", "disconnecting"]),
                name="one_connection_per_ext_shop_id_in_an_organization",
            ),
            # One application names all stores at a platform by these ids: with another organization's, its products
            # would answer.
            models.UniqueConstraint(
                fields=["connector", "ext_shop_id"],
                condition=Q(state__in=["connecting", "active", "paused", "disconnecting"], ids_are_shared=True),
                name="one_connection_per_ext_shop_id_of_a_connector",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "connecting"]) | Q(shop__isnull=False),
                name="a_connection_that_was_made_has_a_shop",
            ),
            SameOrganization("integration", name="a_connections_integration_is_of_its_organization"),
            SameOrganization("brand", name="a_connections_brand_is_of_its_organization"),
            SameOrganization("store", name="a_connections_store_is_of_its_organization"),
            SameOrganization("shop", name="a_connections_shop_is_of_its_organization"),
        ]
        indexes = [models.Index(fields=["organization", "state"], name="connections_by_state")]

    def __str__(self) -> str:
        return self.name or (self.store.name if self.store else str(self.pk))

    @property
    def kind(self) -> Connector:
        return self.integration.kind if self.integration else get_connector(self.connector)

    @property
    def is_partners(self) -> bool:
        """Whether a partner's application made it: we then have nobody to call, and nothing to read."""
        return bool(self.integration and self.integration.partner_id)

    @property
    def is_warehouse(self) -> bool:
        """Whether it is one that we call."""
        return not self.is_partners and self.kind.is_warehouse

    @property
    def ref(self) -> StoreRef:
        if self.is_warehouse:
            return StoreRef("", "", self.ext_shop_id, self.name)
        assert self.brand and self.store
        return StoreRef(self.brand.ext_id, self.store.ext_id, self.ext_shop_id)

    @property
    def next_step(self) -> str:
        """The step of the wizard still to do. Derived from the row, never stored, so it cannot drift."""
        if self.integration is None or not self.integration.is_connected:
            return "authorize"
        if self.brand is None and not self.is_warehouse:
            return "brand"
        if self.store is None and not self.is_warehouse:
            return "store"
        if not self.ext_shop_id:
            return "identify"
        return "review" if self.state == self.State.DRAFT else "progress"

    def mine(self) -> ConnectionQuerySet:
        """This row, as long as nobody else has claimed it since."""
        return Connection.objects.filter(pk=self.pk, fence=self.fence)

    @property
    def is_draft(self) -> bool:
        return self.state == self.State.DRAFT

    @property
    def is_live(self) -> bool:
        return self.state == self.State.ACTIVE
