"""What came in and what went out, found by what is asked for (behaviour 94); by the same words everywhere.

What is asked is text from outside. What is none of ours is found nowhere, and nothing breaks.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.utils.dateparse import parse_datetime

from apps.accounts.models import Organization
from apps.api.bodies import is_storable
from apps.integrations.models import Integration

from . import holding
from .models import Delivery, Event, Hook, Message, Receipt
from .models.deliveries import DeliveryQuerySet, MessageQuerySet

OWN = "own"  # as an integration: the organization's own people
NUMBERS_IN = 5_000  # the newest messages of an organization, among which a number or an SKU is looked for
NEWEST = 20_000  # deliveries of all organizations that are listed side by side with what came in
MOST_FOUND = 200  # messages of one search
MOST_EVENTS = 1_000  # of one entity, whose deliveries are looked for by theirs
LARGEST = 2**63 - 1
DIGITS = re.compile(r"[0-9]{1,19}")
MESSAGE_ID = re.compile(r"(?:msg|out)_([0-9]{1,19})")


@dataclass(frozen=True, slots=True)
class Found:
    """The ids of a search, found by a statement of its own. `is_cut`: there may be more."""

    ids: list[Any]
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """`next` is the cursor of the page after this one, empty on the last."""

    rows: list[Message]
    next: str


def page(request: Any, asked: Mapping[str, str], *, after: str, most: int) -> Page:
    """The newest messages that whoever asks may know of, or those before the cursor `after`."""
    rows = messages(Message.objects.for_principal(request), asked, of=request.user.organization)
    found = list(_before(rows, after).select_related("integration__partner", "shop", "hook")[: most + 1])
    last = found[most - 1] if len(found) > most else None
    return Page(found[:most], f"{last.created_at.isoformat()}~{last.id}" if last else "")


def _before(rows: MessageQuerySet, cursor: str) -> MessageQuerySet:
    """An unreadable cursor is none."""
    when, _tilde, pk = cursor.partition("~")
    if (moment := moment_of(when)) is None:
        return rows
    return rows.filter(created_at__lte=moment).exclude(created_at=moment, pk__gte=pk)


# ---- Messages


def message(rows: MessageQuerySet, name: str) -> Message | None:
    """The one of this id."""
    direction, _line, pk = name.partition("_")
    if direction == Message.Direction.OUT:
        is_id = DIGITS.fullmatch(pk) and int(pk) <= LARGEST
        return rows.filter(delivery=int(pk)).first() if is_id else None
    is_in = direction == Message.Direction.IN and uuid_of(pk)
    return rows.filter(receipt=is_in).first() if is_in else None


def messages(rows: MessageQuerySet, asked: Mapping[str, str], *, of: Organization) -> MessageQuerySet:
    """Those with this `direction`, `status`, `integration` (or `own`), `shop`, `entity`, `type`, `since`, `until` and
    `q`, as far as they are named; all `of` one organization."""
    rows = _narrowed(rows, asked, MESSAGE_FILTERS)
    text = asked.get("q", "").strip()
    return rows.filter(found(text, of=of)[0]) if text and is_storable(text) else rows


def _narrowed(rows: Any, asked: Mapping[str, str], filters: Mapping[str, Callable[[Any, str], Any]]) -> Any:
    for name, narrow in filters.items():
        if value := asked.get(name, ""):
            rows = narrow(rows, value) if is_storable(value) else rows.none()
    return rows


def _plain(name: str) -> Callable[[Any, str], Any]:
    return lambda rows, value: rows.filter(**{name: value})


def _dated(name: str) -> Callable[[Any, str], Any]:
    """`since` and `until`, by the words of their lookup."""

    def narrow(rows: Any, value: str) -> Any:
        moment = moment_of(value)
        return rows.filter(**{name: moment}) if moment else rows.none()

    return narrow


def _of_integration(rows: MessageQuerySet, value: str) -> MessageQuerySet:
    """Through its hooks, of which there are few, and not through those of each row."""
    if value == OWN:
        return rows.filter(direction=Message.Direction.OUT, hook__in=Hook.objects.filter(integration=None))
    if (pk := uuid_of(value)) is None:
        return rows.none()
    came = Q(direction=Message.Direction.IN, integration=pk)
    return rows.filter(came | Q(hook__in=[hook.pk for hook in Hook.objects.filter(integration=pk)]))


def _of_shop(rows: MessageQuerySet, value: str) -> MessageQuerySet:
    if (pk := uuid_of(value)) is None:
        return rows.none()
    came = Q(direction=Message.Direction.IN, shop=pk)
    return rows.filter(came | Q(hook__in=[hook.pk for hook in Hook.objects.filter(shop=pk)]))


def found(text: str, *, of: Organization | None) -> tuple[Q, bool]:
    """Messages by their id, their sender's, or that of what they are about; of one organization also by the number or
    SKU of that, lately. A condition by the rows that they stand for; and whether there may be more of them."""
    among = {"organization__in": [of] if of else Organization.objects.order_by()}
    came, told = _receipts_found(text, among), _deliveries_found(text, Delivery.objects.filter(**among), among, of)
    return Q(receipt__in=came.ids) | Q(delivery__in=told.ids), came.is_cut or told.is_cut


def deliveries_found(text: str, *, among: DeliveryQuerySet) -> Found:
    """Those of these, of all organizations, that are called so, or about what is."""
    of_all = {"organization__in": Organization.objects.order_by()}
    return _deliveries_found(text, among.filter(**of_all), of_all, None)


def _first(ids: Any) -> Found:
    read = list(ids[: MOST_FOUND + 1])
    return Found(read[:MOST_FOUND], len(read) > MOST_FOUND)


def _receipts_found(text: str, among: dict[str, Any]) -> Found:
    rows = Receipt.objects.filter(**among).order_by().values_list("pk", flat=True)
    if (pk := uuid_of(text.removeprefix("in_"))) and (named := list(rows.filter(pk=pk))):
        return Found(named)
    kept = rows.exclude(remote_id="").exclude(state=Receipt.State.REJECTED)
    of_all = Integration.objects.filter(**among).order_by().values("pk")
    return _first(kept.filter(integration__in=of_all, remote_id=text))


def _deliveries_found(text: str, rows: Any, among: dict[str, Any], of: Organization | None) -> Found:
    ids = rows.order_by().values_list("pk", flat=True)
    if named := MESSAGE_ID.fullmatch(text):
        return Found(list(ids.filter(pk=min(int(named[1]), LARGEST))))
    about = _about(text, ids, among)
    return Found([*about.ids, *(_numbered(text, of) if of else [])][:MOST_FOUND], about.is_cut)


def _about(text: str, ids: Any, among: dict[str, Any]) -> Found:
    """By the id of an entity; its events are found by their key, and their deliveries by their hooks."""
    entities = Event.objects.filter(**among, entity__in=ENTITIES, entity_id=text[:36])
    events = _first(entities.order_by("-pk").values_list("pk", flat=True)) if len(text) <= 36 else Found([])
    hooks = Hook.objects.filter(**among).values("pk")
    told = _first(ids.filter(hook__in=hooks, event__in=events.ids))
    return Found(told.ids, told.is_cut or events.is_cut)


def _numbered(text: str, of: Organization) -> list[int]:
    """An order's number or a product's SKU stands in what is sent, and has no index there."""
    newest = Delivery.objects.filter(organization=of).order_by("-created_at", "-pk").values_list("pk", flat=True)
    wanted = Q(event__data__number=text) | Q(event__data__sku=text)
    found = Delivery.objects.filter(wanted, pk__in=list(newest[:NUMBERS_IN]))
    return list(found.values_list("pk", flat=True)[:MOST_FOUND])


ENTITIES = ("product", "stock_level", "order", "fulfillment", "connection", "integration", "sync_run")
MESSAGE_FILTERS: dict[str, Callable[[Any, str], Any]] = {
    "direction": _plain("direction"), "status": _plain("status"), "entity": _plain("entity"), "type": _plain("type"),
    "integration": _of_integration, "shop": _of_shop,
    "since": _dated("created_at__gte"), "until": _dated("created_at__lt"),
}  # fmt: skip


# ---- Deliveries


def deliveries(rows: DeliveryQuerySet, asked: Mapping[str, str], *, of: Organization) -> DeliveryQuerySet:
    """Those with this `endpoint`, `hook`, `event`, `state`, `entity` with or without `entity_id`, `since`, `until`, as
    far as they are named; all `of` one organization."""
    rows = _narrowed(rows, asked, DELIVERY_FILTERS)
    if not all(map(is_storable, asked.values())):
        return rows.none()
    if event := asked.get("event", ""):
        rows = rows.filter(hook__in=_pks(Hook.objects.filter(organization=of, event=event)))
    if entity_id := asked.get("entity_id", ""):
        rows = _of_entity(rows, asked.get("entity", ""), entity_id, of=of)
    return rows


def _by_id(name: str) -> Callable[[Any, str], Any]:
    def narrow(rows: Any, value: str) -> Any:
        pk = uuid_of(value)
        return rows.filter(**{name: pk}) if pk else rows.none()

    return narrow


def _of_entity(rows: DeliveryQuerySet, entity: str, entity_id: str, *, of: Organization) -> DeliveryQuerySet:
    """Through its events and the organization's hooks, which have indexes, unless that many are no help."""
    kinds = [entity] if entity else ENTITIES
    events = _pks(Event.objects.filter(organization=of, entity__in=kinds, entity_id=entity_id), most=MOST_EVENTS + 1)
    if len(events) > MOST_EVENTS:
        return rows.filter(lane__in=[f"{kind}:{entity_id}" for kind in kinds])
    return rows.filter(event__in=events, hook__in=_pks(Hook.objects.filter(organization=of)))


def _pks(rows: Any, *, most: int | None = None) -> list[Any]:
    """Named one by one: PostgreSQL knows then how few rows have them."""
    return list(rows.order_by().values_list("pk", flat=True)[:most])


DELIVERY_FILTERS: dict[str, Callable[[Any, str], Any]] = {
    "endpoint": _by_id("endpoint"), "hook": _by_id("hook"), "state": _plain("state"),
    "entity": lambda rows, value: rows.filter(lane__startswith=f"{value}:"),
    "since": _dated("created_at__gte"), "until": _dated("created_at__lt"),
}  # fmt: skip


LAST = """
SELECT last.id FROM unnest(%s::uuid[]) hook (id) CROSS JOIN LATERAL (
    SELECT id FROM webhooks_delivery WHERE hook_id = hook.id ORDER BY event_id DESC LIMIT %s
) last ORDER BY last.id DESC LIMIT %s
"""


def last_of(hooks: Any, *, most: int) -> DeliveryQuerySet:
    """What these hooks were owed last, read from their own index however much others are."""
    with connection.cursor() as cursor:
        cursor.execute(LAST, [[hook.pk for hook in hooks], most, most])
        return Delivery.objects.filter(pk__in=[pk for (pk,) in cursor.fetchall()]).order_by("-pk")


# Of each state by itself: each has an index of its own.
OLDEST = """
SELECT wanted.id, min(one.created_at) FROM unnest(%(ids)s::uuid[]) wanted (id) CROSS JOIN LATERAL (
    (SELECT created_at FROM webhooks_delivery WHERE endpoint_id = wanted.id AND state = 'pending' ORDER BY id LIMIT 1)
    UNION ALL
    (SELECT created_at FROM webhooks_delivery WHERE endpoint_id = wanted.id AND state = 'waiting' LIMIT %(most)s)
    UNION ALL
    (SELECT created_at FROM webhooks_delivery WHERE endpoint_id = wanted.id AND state = 'behind' LIMIT %(most)s)
) one GROUP BY 1
"""


def oldest(endpoints: Iterable[Any]) -> dict[Any, datetime]:
    """Since when the oldest message waits for each of these, by their ids. Where nothing waits, there is no entry."""
    with connection.cursor() as cursor:
        cursor.execute(OLDEST, {"ids": list(endpoints), "most": holding.MOST})
        return dict(cursor.fetchall())


# ---- Of all organizations


def newest(rows: MessageQuerySet) -> MessageQuerySet:
    """As many of the newest as anybody pages through. Older ones are found by their organization's index."""
    last = Delivery.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return rows.filter(Q(direction=Message.Direction.IN) | Q(delivery__gt=last - NEWEST))


# ---- Words from outside


def uuid_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def moment_of(text: str) -> datetime | None:
    """A date with time and zone, in UTC: PostgreSQL does not know every zone. Else None."""
    try:
        found = parse_datetime(text)
        return found.astimezone(UTC) if found and found.tzinfo else None
    except (ValueError, OverflowError):
        return None
