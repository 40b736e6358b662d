"""A morning at a 3PL with two customers, for the pictures of its own screens."""

from datetime import timedelta

from django.utils import timezone

from apps.integrations.models import Integration
from apps.orders.models import Hindrance, Order
from apps.shops.models import Connection
from apps.syncs.models import SyncRun

from ..factories import (
    make_brand,
    make_connection,
    make_drift,
    make_endpoint,
    make_entry,
    make_fulfillment,
    make_hindrance,
    make_integration,
    make_location,
    make_order,
    make_organization,
    make_parcel,
    make_product,
    make_run,
    make_shop,
    make_store,
    make_unlinked,
)

Code, State = Hindrance.Code, SyncRun.State
UNKNOWN = "HAT-RED-L-2026"


def make_a_store(customer: str, **fields) -> Connection:
    organization = make_organization(name=customer)
    store = make_store(brand=make_brand(organization=organization, name=customer), name=f"{customer} Online")
    integration = make_integration(organization=organization, name=f"Otter: {customer}", account_name=customer)
    return make_connection(shop=make_shop(integration=integration, store=store, **fields))


def make_a_morning() -> tuple[Connection, Order]:
    """The store that most happens at, and the order with the longest story."""
    hats = make_a_store("Great Hats", creates_products=False)
    shoes = make_a_store("Great Shoes")
    _remember_a_month(hats)
    _break_things(hats, shoes)
    order = _ship(hats)
    _let_time_pass()
    return hats, order


def _remember_a_month(store: Connection) -> None:
    """A sync a day, and one for each of the last hours."""
    poor = {8: State.FAILED, 15: State.PARTIAL, 16: State.PARTIAL}
    spans = [(timedelta(days=day), poor.get(day, State.SUCCEEDED)) for day in range(1, 30)]
    spans += [(timedelta(hours=hour), State.PARTIAL if hour == 5 else State.SUCCEEDED) for hour in range(20)]
    for ago, state in spans:
        run = make_run(connection=store, state=state, finished_at=timezone.now() - ago)
        SyncRun.objects.filter(pk=run.pk).update(created_at=timezone.now() - ago)


def _break_things(hats: Connection, shoes: Connection) -> None:
    make_unlinked(shop=hats.shop, sku=UNKNOWN, name="Red hat, large")
    for _ in range(3):
        _hold(hats, Code.UNKNOWN_SKU, UNKNOWN, Hindrance.Who.OWNER, sku=UNKNOWN)
    _hold(shoes, Code.INCOMPLETE_ADDRESS, "zip", Hindrance.Who.OWNER)
    _hold(shoes, Code.NO_LOCATION, "", Hindrance.Who.OPERATOR)
    for _ in range(4):
        make_order(shop=hats.shop, state=Order.State.READY)
    shoes.integration.lose_permission("invalid_grant")
    make_drift(connection=hats, product=make_product(organization=hats.organization, sku="HAT-1"))
    failing = {"failing_since": timezone.now() - timedelta(hours=9), "last_error": "timeout"}
    make_endpoint(organization=hats.organization, url="https://erp.great-hats.example/hooks", **failing)


def _hold(store: Connection, code: str, ref: str, who: str, **line: str) -> None:
    order = make_order(shop=store.shop, lines=[line] if line else None, state=Order.State.WAITING)
    make_hindrance(order=order, code=code, ref=ref, who=who)


def _ship(store: Connection) -> Order:
    """From the shop to the door."""
    place = make_location(organization=store.organization, name="Dock 4")
    order = make_order(shop=store.shop, shipping_method="Standard", state=Order.State.FULFILLED)
    fulfillment = make_fulfillment(order=order, location=place, state="shipped")
    make_parcel(fulfillment=fulfillment, carrier="PostNL", tracking_number="3SCROSS1042", shipped_at=timezone.now())
    told = {"location": "Dock 4", "carrier": "PostNL", "tracking": "3SCROSS1042", "pieces": 2}
    for kind in ("released", "routed", "picking", "parcel", "parcel_told"):
        make_entry(order=order, kind=kind, data=told)
    return order


def _let_time_pass() -> None:
    for n, order in enumerate(Order.objects.order_by("-pk"), start=1):
        came = timezone.now() - timedelta(minutes=17 * n)
        Order.objects.filter(pk=order.pk).update(created_at=came)
        order.hindrances.update(since=came)
    Integration.objects.update(updated_at=timezone.now() - timedelta(hours=1))
