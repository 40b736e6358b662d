"""Sync runs: outbound jobs as rows. Who may work on one is decided by a lease; whose writes count, by a fence.

Times that decide are the database's: workers whose clocks disagree do not take each other's runs.
"""

import uuid
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, When
from django.db.models.functions import Abs, Coalesce, Now
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization, TenantQuerySet
from apps.catalog.models import Product
from apps.feeds import Feed, Feeds
from apps.integrations.connectors import all_connectors
from apps.integrations.connectors.orders import TakesOrders
from apps.integrations.models import Integration
from apps.orders.models import Fulfillment
from apps.shops.models import Connection, Shop
from apps.tenancy import SameOrganization

LEASE = timedelta(seconds=30)
KEPT = timedelta(days=30)
NOTHING_KEPT = timedelta(days=1)
PASSING = 3  # failures in a row to reach the other side before anybody should look
WAITING = Q(state="queued", next_attempt_at__lte=Now())
ABANDONED = Q(state="running", lease_until__lt=Now())


class SyncRunQuerySet(TenantQuerySet):
    def unfinished(self) -> Self:
        return self.filter(state__in=SyncRun.UNFINISHED)

    def imports(self) -> Self:
        """Those that bring a store's products here, or ours to a warehouse, which is what their owner waits for."""
        return self.filter(kind__in=[SyncRun.Kind.PRODUCTS, SyncRun.Kind.ITEMS])

    def allowed(self) -> Self:
        """Those whose organization is active, integration has permission and store is connected and not paused."""
        return self.filter(
            organization__is_active=True,
            integration__state=Integration.State.CONNECTED,
            shop__connections__state=Connection.State.ACTIVE,
        )

    def held(self) -> Self:
        """Waiting for a person: to log in again, to resume, or to activate. Nothing else holds a run."""
        return self.filter(state=SyncRun.State.QUEUED).exclude(pk__in=SyncRun.objects.allowed())

    def due(self) -> Self:
        """What can be worked on now: queued and its time has come, or abandoned by a worker that died.

        One that was abandoned after it was called off is due whether or not it is allowed: it has to end.
        """
        called_off = Q(ABANDONED, cancel_requested=True)
        return self.filter(Q(WAITING | ABANDONED, pk__in=SyncRun.objects.allowed().values("pk")) | called_off)

    def claim(self, pk: Any) -> "SyncRun | None":
        """Take a due run for LEASE. One UPDATE decides who gets it; the fence shuts out whoever had it before.

        Taking over from a worker that died counts as a try, so that a run that kills its workers comes to an end.
        """
        won = (
            self.due()
            .filter(pk=pk)
            .update(
                state=SyncRun.State.RUNNING,
                lease_until=Now() + LEASE,
                fence=F("fence") + 1,
                tries=F("tries") + Case(When(state=SyncRun.State.RUNNING, then=1), default=0),
                started_at=Coalesce("started_at", Now()),
            )
        )
        return SyncRun.objects.select_related("organization", "integration", "shop").get(pk=pk) if won else None

    def old(self) -> Self:
        """Ended longer ago than anybody asks about, except each shop's newest of each kind.

        Orders are read every minute: of readings that found nothing, a day is enough.
        """
        newest = SyncRun.objects.filter(shop=OuterRef("shop"), kind=OuterRef("kind")).newest_first().values("pk")[:1]
        nothing = Q(kind=SyncRun.Kind.ORDERS, state=SyncRun.State.SUCCEEDED, created_count=0, updated_count=0)
        nothing &= Q(finished_at__lt=Now() - NOTHING_KEPT)
        return self.filter(nothing | Q(finished_at__lt=Now() - KEPT)).exclude(pk=Subquery(newest))

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-id")


class SyncRun(models.Model):
    """One outbound job: which integration, which kind, from which cursor, how far, how it ended.

    `tries` counts attempts since the last page that got through. `look` is 2 when the list lacked something we know,
    and is therefore being read a second time before anything is removed. `error` is a short code; owners read the
    sentence that `sentences.py` has for it, admins read `detail` too. With `since` somebody asked for orders from that
    moment on: the bookmark is neither used nor moved.
    """

    class Kind(models.TextChoices):
        PRODUCTS = "products", _("Products")
        STOCK = "product-stocks", _("Stock to the platform")
        ITEMS = "items", _("Products to the warehouse")
        COUNT = "count", _("Stock of the warehouse")
        COMPARE = "compare", _("Comparison of stock")
        ORDERS = "orders", _("Orders")
        FULFILLMENTS = "fulfillments", _("Shipments of the warehouse")
        SERVICES = "shipping-services", _("Shipping services")

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Running")
        SUCCEEDED = "succeeded", _("Complete")
        PARTIAL = "partial", _("Complete, with items left out")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    UNFINISHED = [State.QUEUED, State.RUNNING]

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="sync_runs")
    integration = models.ForeignKey(Integration, models.CASCADE, related_name="sync_runs")
    shop = models.ForeignKey(Shop, models.CASCADE, related_name="sync_runs")
    kind = models.CharField(max_length=20, choices=Kind)
    state = models.CharField(max_length=20, choices=State, default=State.QUEUED)
    cursor = models.TextField(blank=True)
    pages = models.PositiveIntegerField(default=0)
    look = models.PositiveSmallIntegerField(default=1, editable=False)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True, blank=True)
    created_count = models.PositiveIntegerField(default=0)
    updated_count = models.PositiveIntegerField(default=0)
    removed_count = models.PositiveIntegerField(default=0)
    failed_count = models.PositiveIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=50, blank=True)
    detail = models.TextField(blank=True)
    since = models.DateTimeField(null=True, blank=True)
    accepts_removals = models.BooleanField(default=False)
    cancel_requested = models.BooleanField(default=False)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    next_attempt_at = models.DateTimeField(db_default=Now())
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    fence = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    objects = SyncRunQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["integration", "shop", "kind"],
                condition=Q(state__in=["queued", "running"]),
                name="one_unfinished_run_per_shop_and_kind",
            ),
            models.UniqueConstraint(fields=["id", "organization"], name="a_run_and_its_organization"),
            SameOrganization("integration", name="a_runs_integration_is_of_its_organization"),
            SameOrganization("shop", name="a_runs_shop_is_of_its_organization"),
        ]
        indexes = [
            models.Index(fields=["organization", "shop", "-created_at"], name="runs_of_a_shop"),
            models.Index(fields=["integration", "-created_at", "-id"], name="runs_of_an_integration"),
            models.Index(fields=["-created_at", "-id"], name="newest_runs"),
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(state__in=["queued", "running"]),
                name="unfinished_runs",
            ),
            models.Index(fields=["shop", "kind", "-created_at", "-id"], name="runs_of_a_kind"),
            models.Index(
                fields=["shop", "kind", "-created_at", "-id"], condition=Q(state="failed"), name="failed_runs_of_a_kind"
            ),
            models.Index(
                fields=["finished_at"],
                include=["state"],
                condition=Q(finished_at__isnull=False),
                name="runs_by_their_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.shop}, {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def is_finished(self) -> bool:
        return self.state not in self.UNFINISHED

    @property
    def is_complete(self) -> bool:
        return self.state in {self.State.SUCCEEDED, self.State.PARTIAL}

    @property
    def percent(self) -> int | None:
        """How far, when the platform told us how much there is."""
        return min(100, self.done * 100 // self.total) if self.total else None

    def mine(self) -> SyncRunQuerySet:
        """This run, as long as nobody else has claimed it since."""
        return SyncRun.objects.filter(pk=self.pk, fence=self.fence, state=self.State.RUNNING)


class SyncFailure(models.Model):
    """One item a run could not bring in, with why. `ref` is the item's own name at the platform."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    run = models.ForeignKey(SyncRun, models.CASCADE, related_name="failures")
    ref = models.CharField(max_length=255)
    code = models.CharField(max_length=50)
    detail = models.TextField(blank=True)
    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [SameOrganization("run", name="a_failures_run_is_of_its_organization")]
        indexes = [models.Index(fields=["organization", "run"], name="failures_of_a_run")]

    def __str__(self) -> str:
        return f"{self.ref}: {self.code}"


class Repair(models.Model):
    """Something that the other side should have told us by itself and had not, as a run found it and put it right.

    `ref` is what it is about in the other side's words, `detail` how it is there.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    run = models.ForeignKey(SyncRun, models.CASCADE, related_name="repairs")
    ref = models.CharField(max_length=255)
    detail = models.CharField(max_length=255, blank=True)
    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [SameOrganization("run", name="a_repairs_run_is_of_its_organization")]
        indexes = [models.Index(fields=["organization", "run"], name="repairs_of_a_run")]

    def __str__(self) -> str:
        return f"{self.ref}: {self.detail}"


class Bookmark(models.Model):
    """Where the next reading of what changed begins, in the words of a shop's other side. One for each kind of run."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    shop = models.ForeignKey(Shop, models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=20, choices=SyncRun.Kind)
    cursor = models.TextField()
    updated_at = models.DateTimeField(auto_now=True)
    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "shop", "kind"], name="one_bookmark_per_kind"),
            SameOrganization("shop", name="a_bookmarks_shop_is_of_its_organization"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.shop_id} from {self.cursor}"


class OrderFeedQuerySet(Feeds, TenantQuerySet):
    def enlist(self) -> None:
        """Every integration that is handed orders has its feed."""
        able = [connector.slug for connector in all_connectors().values() if connector.can(TakesOrders)]
        new = Integration.objects.filter(connector__in=able, order_feed=None)
        feeds = [OrderFeed(organization_id=one.organization_id, integration=one) for one in new]
        OrderFeed.objects.bulk_create(feeds, ignore_conflicts=True)

    def allowed(self) -> Self:
        """Those whose organization is active, integration has permission and takes orders, and store is not paused."""
        live = Connection.objects.live().filter(integration=OuterRef("integration"))
        served = self.filter(Exists(live), organization__is_active=True)
        return served.filter(integration__state=Integration.State.CONNECTED, integration__order_sync_enabled=True)

    def due(self) -> Self:
        """Those that owe something now, and need not wait."""
        owed = Exists(Fulfillment.objects.due().filter(integration=OuterRef("integration")))
        return self.allowed().ready().filter(owed)

    def claim(self, integration: Any) -> "OrderFeed | None":
        """Take the feed of an integration for its LEASE, if it is in this set."""
        if not self.filter(integration=integration).take(lease=OrderFeed.LEASE):
            return None
        return OrderFeed.objects.select_related("organization", "integration__partner").get(integration=integration)

    def of_account(self, integration: Integration) -> Self:
        """All that go to the same account at the same other side, whoever's."""
        return self.filter(
            integration__connector=integration.connector, integration__account_ref=integration.account_ref
        )

    def troubled(self) -> Self:
        """Those whose other side could not be reached for a while."""
        return self.allowed().exclude(error="").filter(tries__gte=PASSING)


class OrderFeed(Feed):
    """The handing over of orders to one integration: one worker at a time, and whether it has to wait.

    Two at once would harm nobody: each fulfilment has a lease of its own. So this one is short, and a worker that died
    is soon replaced.
    """

    LEASE = timedelta(seconds=10)

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    integration = models.OneToOneField(Integration, models.CASCADE, related_name="order_feed")
    objects = OrderFeedQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [SameOrganization("integration", name="an_order_feeds_integration_is_of_its_organization")]

    def __str__(self) -> str:
        return f"Orders to {self.integration}"


class CountedPage(models.Model):
    """What one page of a comparison found: pairs of an id and the pieces the other side has of it.

    The id is a listing's at a platform, a product's at a warehouse. Kept until the comparison ends, so that a run can
    be interrupted after any page, and its memory stays flat.
    """

    pk = models.CompositePrimaryKey("run", "page")
    run = models.ForeignKey(SyncRun, models.CASCADE, related_name="+", db_index=False)
    page = models.PositiveIntegerField()
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    counts = models.JSONField()

    class Meta:
        constraints = [SameOrganization("run", name="a_counted_pages_run_is_of_its_organization")]

    def __str__(self) -> str:
        return f"{len(self.counts)} counted by {self.run_id}"


class DriftQuerySet(TenantQuerySet):
    def confirmed(self) -> Self:
        """Those that two comparisons in a row found alike: no sale or delivery that one side hears of a bit later."""
        return self.filter(times__gte=2)

    def small(self) -> Self:
        """Those below their shop's limit, which are put right without asking."""
        gap = Abs(F("theirs") - F("ours"))
        return self.annotate(gap=gap).filter(gap__lte=F("shop__drift_limit"))


class Drift(models.Model):
    """One product whose stock is another number at a shop's other side than here, as the newest comparison found it.

    At a platform `ours` is what it was told last, at a warehouse what we hold of its locations; both in pieces.
    `times` is in how many comparisons in a row it was the same; `found_at` is when it began, `seen_at` the last time.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    shop = models.ForeignKey(Shop, models.CASCADE, related_name="drifts", db_index=False)
    product = models.ForeignKey(Product, models.CASCADE, related_name="drifts")
    ours = models.IntegerField()
    theirs = models.IntegerField()
    times = models.PositiveIntegerField(default=1)
    found_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())
    objects = DriftQuerySet.as_manager()

    class Meta:
        ordering = ["-found_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "shop", "product"], name="one_drift_per_product_of_a_shop"),
            SameOrganization("shop", name="a_drifts_shop_is_of_its_organization"),
            SameOrganization("product", name="a_drifts_product_is_of_its_organization"),
        ]

    def __str__(self) -> str:
        return f"{self.product}: {self.ours} here, {self.theirs} there"

    @property
    def difference(self) -> int:
        """How many more pieces they have."""
        return self.theirs - self.ours
