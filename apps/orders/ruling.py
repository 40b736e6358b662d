"""An organization's rules: which of them an order fits, saving them, and what follows for orders that wait."""

import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from apps.accounts.models import Organization
from apps.api.errors import Problem
from apps.audit.trail import Actor, record
from apps.catalog.models import Location
from apps.catalog.models.locations import LocationQuerySet
from apps.shops.models import Shop

from .models import Hindrance, Order, RoutingRule
from .nudging import nudge

Kind, Code = RoutingRule.Kind, Hindrance.Code

MOST = 500
COUNTRY = re.compile(r"[A-Z]{2}")
SAID = (
    "name", "kind", "is_active", "shops", "tags", "countries", "shipping_methods", "location_id", "may_split",
    "priority",
)  # fmt: skip


def fits(rule: RoutingRule, order: Order) -> bool:
    """Whether all its conditions hold; an empty one always does. Tags and names match exactly."""
    country = str(order.destination.get("country", "")).upper()
    return (
        (not rule.shops or order.shop_id in rule.shops)
        and (not rule.tags or not set(rule.tags).isdisjoint(order.tags))
        and (not rule.countries or country in rule.countries)
        and (not rule.shipping_methods or order.shipping_method in rule.shipping_methods)
    )


def fitting(rules: Iterable[RoutingRule], order: Order, *, kind: str) -> list[RoutingRule]:
    """Those of a kind, in their order."""
    return [rule for rule in rules if rule.kind == kind and fits(rule, order)]


def priority_of(rules: Iterable[RoutingRule], order: Order) -> int:
    """The sum of what all rules give it (behaviour 75)."""
    return sum(rule.priority for rule in fitting(rules, order, kind=Kind.PRIORITY))


def rules_of(organization: Any) -> list[RoutingRule]:
    """All of an organization (or its id), in their order."""
    return list(RoutingRule.objects.filter(organization=organization).order_by("position", "pk"))


def version_of(rules: Sequence[RoutingRule]) -> str:
    """Of a whole list: the same as long as it says the same."""
    said = repr([[getattr(rule, name) for name in SAID] for rule in rules])
    return blake2b(said.encode(), digest_size=8).hexdigest()


def problems(rule: RoutingRule) -> Iterator[tuple[str, str]]:
    """What is wrong with an unsaved rule of an organization: pairs of a field and a sentence."""
    unknown = set(rule.shops) - set(Shop.objects.filter(organization=rule.organization_id).values_list("pk", flat=True))
    if unknown:
        yield "shops", _("There is no shop %(id)s.") % {"id": min(map(str, unknown))}
    if wrong := [country for country in rule.countries if not COUNTRY.fullmatch(country)]:
        yield "countries", _("%(country)s is no country in two letters.") % {"country": wrong[0]}
    if rule.kind == Kind.ROUTE and not _locations(rule.organization_id).filter(pk=rule.location_id).exists():
        yield "location_id", _("Choose the location that these orders are shipped from.")
    if rule.kind != Kind.ROUTE and (rule.location_id or rule.may_split):
        yield "location_id", _("Only a rule that ships from a location names one.")
    if rule.kind != Kind.PRIORITY and rule.priority:
        yield "priority", _("Only a rule that gives a priority has one.")


def _locations(organization: Any) -> LocationQuerySet:
    """Those an organization's orders may be shipped from: its own, and the 3PL's."""
    return Location.objects.filter(Q(organization=organization) | Q(organization=None))


@transaction.atomic
def replace(
    organization: Organization, rules: Sequence[RoutingRule], *, actor: Actor, based_on: str | None = None
) -> list[RoutingRule]:
    """Make these, unsaved and checked, the organization's only rules, in this order. The same ones change nothing.

    `based_on` is the version of the list they were made from. Raises Problem stale_version.
    """
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    had = rules_of(organization)
    if based_on is not None and based_on != version_of(had):
        raise Problem("stale_version", _("Somebody saved other rules meanwhile. Look at them, and save again."))
    if version_of(had) == version_of(rules):
        return had
    RoutingRule.objects.filter(pk__in=[rule.pk for rule in had]).delete()
    for position, rule in enumerate(rules, start=1):
        rule.organization, rule.position = organization, position
    RoutingRule.objects.bulk_create(rules)
    record(actor, "rules.save", on=organization, before=_all_shown(had), after=_all_shown(rules))
    look_again(organization.pk)
    return rules_of(organization)


def names(rules: Iterable[RoutingRule]) -> list[str]:
    return [rule.name for rule in rules]


@transaction.atomic
def save(rule: RoutingRule, *, actor: Actor) -> None:
    """Keep one rule, which the caller has validated."""
    before = RoutingRule.objects.filter(pk=rule.pk).first()
    rule.save()
    record(actor, "rule.save", on=rule, before=_shown(before) if before else {}, after=_shown(rule))
    look_again(rule.organization_id)


@transaction.atomic
def delete(rule: RoutingRule, *, actor: Actor) -> None:
    record(actor, "rule.delete", on=rule, before=_shown(rule))
    rule.delete()
    look_again(rule.organization_id)


def _all_shown(rules: Iterable[RoutingRule]) -> dict[str, Any]:
    return {"rules": [_shown(rule) for rule in rules]}


def _shown(rule: RoutingRule) -> dict[str, Any]:
    found = {name: getattr(rule, name) for name in (*SAID, "position")}
    return found | {"shops": [str(shop) for shop in rule.shops], "location_id": str(rule.location_id or "")}


def look_again(organization: Any) -> None:
    """The rules of an organization (by id) changed, and so may the fate of all that waits there."""
    for code in (Code.BLOCKED, Code.NO_LOCATION, Code.OUT_OF_STOCK):
        nudge(organization, code)


def reprioritize(organization: Any) -> None:
    """Give open orders, and what people have not begun to pick, the priority that the rules give them now."""
    with connection.cursor() as cursor:
        cursor.execute(REPRIORITIZE, {"organization": organization})


REPRIORITIZE = """
WITH given AS (
    SELECT o.id, COALESCE(sum(rule.priority), 0) AS priority
    FROM orders_order o
    LEFT JOIN orders_routingrule rule ON rule.organization_id = o.organization_id
        AND rule.kind = 'priority' AND rule.is_active
        AND (rule.shops = '{}' OR o.shop_id = ANY(rule.shops))
        AND (rule.tags = '{}' OR rule.tags && o.tags)
        AND (rule.countries = '{}' OR upper(o.destination ->> 'country') = ANY(rule.countries))
        AND (rule.shipping_methods = '{}' OR o.shipping_method = ANY(rule.shipping_methods))
    WHERE o.organization_id = %(organization)s AND o.state NOT IN ('fulfilled', 'cancelled', 'not_ours')
    GROUP BY o.id, o.priority
    HAVING o.priority <> COALESCE(sum(rule.priority), 0)
), locked AS MATERIALIZED (
    SELECT o.id, given.priority FROM orders_order o JOIN given ON given.id = o.id ORDER BY o.id FOR NO KEY UPDATE OF o
), picked AS (
    UPDATE orders_fulfillment f SET priority = locked.priority
    FROM locked WHERE f.order_id = locked.id AND f.state = 'ready' AND f.integration_id IS NULL
)
UPDATE orders_order o SET priority = locked.priority FROM locked WHERE o.id = locked.id
"""
