"""Why orders wait, and what else somebody has to know of them."""

from collections.abc import Callable
from typing import Any

from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Left
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import Location, WaitingSku
from apps.orders import waiting
from apps.orders.models import Hindrance, Order

from ..causes import Kind, Who
from .amounts import items, orders

LONGEST_REASON = 200  # letters of what a warehouse says by which orders are told apart
OF_ORGANIZATION = {"organization": "organization"}
Code = Hindrance.Code


def _hindered(*codes: str) -> Callable[[], QuerySet[Hindrance]]:
    return lambda: waiting.current().filter(code__in=codes)


def _orders_of(hindrances: QuerySet[Hindrance]) -> QuerySet[Order]:
    return Order.objects.filter(pk__in=hindrances.values("order")).order_by("pk")


def _orders_with(skus: QuerySet[WaitingSku]) -> QuerySet[Order]:
    """Orders that wait for one of these."""
    same = Hindrance.objects.filter(code=Code.UNKNOWN_SKU, ref__in=skus.order_by().values("sku"))
    of_those = same.filter(organization__in=skus.order_by().values("organization"))
    return _orders_of(of_those.filter(order__integration__in=skus.order_by().values("integration")))


def _fulfilling(integration: Any) -> Q:
    """Whose place is one of this integration."""
    return Q(by_place__in=Location.objects.filter(integration=integration).values("name"))


def _ordered_through(integration: Any) -> Q:
    return Q(order__integration=integration)


def _orders(code: str, name: Promise, title: Promise, who: Who, *hindrances: str, **more: Any) -> Kind:
    """Orders that wait for one of these reasons, or were flagged for it."""
    held: dict[str, Any] = {"count": Count("order", distinct=True), "orders": Count("order", distinct=True)} | more
    since: dict[str, Any] = {"first": Min("since"), "last": Max("since")}
    about: dict[str, Any] = {"model": Order, "amount": orders, "shown": _orders_of, "found": _hindered(*hindrances)}
    about["listed"] = lambda rows: rows.values("order")
    return Kind(code=code, name=name, title=title, who=who, **(since | about | held))


PLACE = KeyTextTransform("location", "detail")
FIRST_PLACE = KeyTextTransform(0, KeyTextTransform("locations", "detail"))
REASON = Left(KeyTextTransform("reason", "detail"), LONGEST_REASON)

OF_ORDERS = [
    Kind(
        code="unknown-sku",
        name=_("SKUs nobody knows"),
        title=_("Nobody has said which product “%(sku)s” of %(integration)s is"),
        who=Who.US,
        model=WaitingSku,
        found=lambda: WaitingSku.objects.open(),
        by=OF_ORGANIZATION | {"integration": "integration", "sku": "sku"},
        first=Min("began_at"),
        last=Max("seen_at"),
        amount=items,
        count=Sum(F("listings") + F("reports") + F("orders")),
        orders=Sum("orders"),
        shown=_orders_with,
    ),
    _orders(
        "unmapped-method",
        _("Shipping methods nobody knows"),
        _("Nobody has said what the shipping method “%(method)s” means at %(place)s"),
        Who.US,
        Code.UNMAPPED_METHOD,
        by=OF_ORGANIZATION | {"method": "ref", "place": FIRST_PLACE},
        of_integration=_fulfilling,
    ),
    _orders(
        "incomplete-address",
        _("Addresses that are not complete"),
        _("Orders of %(shop)s have no complete address"),
        Who.OWNER,
        Code.INCOMPLETE_ADDRESS,
        by=OF_ORGANIZATION | {"integration": "order__integration", "shop": "order__shop"},
    ),
    _orders(
        "no-location",
        _("No place to ship from"),
        _("There is no place that orders of %(organization)s could be shipped from"),
        Who.US,
        Code.NO_LOCATION,
        by=OF_ORGANIZATION,
        of_integration=_ordered_through,
    ),
    _orders(
        "refused-order",
        _("Orders a warehouse refused"),
        _("%(place)s refused orders. It says: %(reason)s"),
        Who.US,
        Code.REJECTED,
        by=OF_ORGANIZATION | {"place": PLACE, "reason": REASON},
        of_integration=_fulfilling,
    ),
    _orders(
        "too-late",
        _("Changed or cancelled too late"),
        _("Orders of %(shop)s were changed or cancelled when a warehouse had them"),
        Who.US,
        *waiting.LATE,
        by=OF_ORGANIZATION | {"integration": "order__integration", "shop": "order__shop"},
    ),
    _orders(
        "bug",
        _("Orders we broke down on"),
        _("Something went wrong on our side (%(error)s) with orders of %(organization)s"),
        Who.US,
        Code.BUG,
        by=OF_ORGANIZATION | {"error": KeyTextTransform("error", "detail")},
        of_integration=_ordered_through,
    ),
]
