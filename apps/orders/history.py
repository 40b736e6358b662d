"""All that ever happened to an order, in one list, in the order it happened, with who or what did it (issue 5, 8)."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.audit.models import Entry as Deed
from apps.catalog.models import Product, StockMovement
from apps.catalog.sentences import of as story_of
from apps.webhooks.models import Receipt

from . import sentences
from .models import Entry, Fulfillment, Hindrance, Order, Parcel
from .timeline import ITSELF

EMAIL = re.compile(r"[^\s<>(),]+@[^\s<>(),]+")
SLACK = timedelta(days=1)  # by which a warehouse's clock may be behind ours
SHOWN = 20  # SKUs that one moment names


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened. `link` leads to what it is about; what `is_internal` is for the 3PL only."""

    at: datetime
    text: str
    actor: str
    is_internal: bool = False
    link: str = ""


def timeline(order: Order, *, internal: bool) -> list[Moment]:
    """Everything about an order, oldest first, in as many statements for a long story as for a short one.

    With `internal` all of it, for people of the 3PL; without, what its shop's owner may know: no calls and errors, and
    nobody's address who is not of their team.
    """
    entries = list(order.entries.all())
    skus = _skus(order, entries)
    moments = [_came(order), *(_entry(entry, skus) for entry in entries), *_moved(order)]
    if internal:
        moments += [*_received(entries), *_deeds(order)]
    else:
        moments = [moment for moment in moments if not moment.is_internal]
    team = None if internal else _team(order, moments)
    told = [replace(moment, actor=_shown(moment.actor, team)) for moment in moments]
    return sorted(told, key=lambda moment: moment.at)


def _came(order: Order) -> Moment:
    said = {
        Order.Source.API: _("Sent to us"),
        Order.Source.PULLED: _("Read from the platform"),
        Order.Source.WEBHOOK: _("The platform told us of it"),
    }
    return Moment(order.created_at, said[Order.Source(order.source)], order.integration.name)


def _skus(order: Order, entries: Iterable[Entry]) -> dict[str, str]:
    """The SKUs of products that it waited for, by their ids as texts: an entry names these alone."""
    reasons = [reason for entry in entries for reason in entry.data.get("reasons", [])]
    ids = {ref for code, ref in reasons if code == Hindrance.Code.OUT_OF_STOCK and ref.isdecimal()}
    found = Product.objects.filter(organization=order.organization_id, pk__in=ids) if ids else Product.objects.none()
    return {str(pk): sku for pk, sku in found.values_list("pk", "sku")}


def _entry(entry: Entry, skus: Mapping[str, str]) -> Moment:
    text = sentences.of(entry.kind, entry.data, skus=skus)
    return Moment(entry.at, text, entry.actor, is_internal=entry.is_internal)


def _moved(order: Order) -> Iterator[Moment]:
    """Stock that was held, picked or given back for it: one moment for all that moved at once at one place."""
    at_once = groupby(_movements(order), key=lambda one: (one.created_at, one.level.location.name, one.actor))
    for (at, place, actor), moved in at_once:
        yield Moment(at, _of_movements(list(moved), place=place), actor)


def _movements(order: Order) -> list[StockMovement]:
    """Found by level and time: the ledger has no index of what its lines refer to, and is long."""
    fulfillments = list(Fulfillment.objects.filter(order=order).prefetch_related("lines"))
    references = [str(order.pk), *(str(one.pk) for one in fulfillments)]
    found = StockMovement.objects.filter(
        organization=order.organization_id,
        level__product__in={line.product_id for one in fulfillments for line in one.lines.all()},
        level__location__in={one.location_id for one in fulfillments},
        is_count=False,
        occurred_at__gte=order.created_at - SLACK,
        reference__in=references,
    )
    return list(found.select_related("level__location", "level__product").order_by("pk"))


def _of_movements(moved: Sequence[StockMovement], *, place: str) -> str:
    named = [f"{one.level.product.sku}: {story_of(one)}" for one in moved[:SHOWN]]
    if len(moved) > SHOWN:
        named.append(_("and %(n)d more") % {"n": len(moved) - SHOWN})
    return _("%(what)s, at %(place)s") % {"what": "; ".join(named), "place": place}


def _received(entries: Iterable[Entry]) -> Iterator[Moment]:
    """The messages that entries say they come of."""
    ids = {text for entry in entries if (text := _id(entry.data.get("receipt")))}
    for receipt in Receipt.objects.filter(pk__in=ids).select_related("integration"):
        text = _("Message “%(kind)s” came: %(state)s") % {
            "kind": receipt.event_type,
            "state": receipt.get_state_display(),
        }
        link = reverse("admin:webhooks_receipt_change", args=[receipt.pk])
        yield Moment(receipt.received_at, text, receipt.integration.name, is_internal=True, link=link)


def _id(value: Any) -> str:
    try:
        return str(UUID(str(value)))
    except ValueError:
        return ""


def _deeds(order: Order) -> Iterator[Moment]:
    """What the audit trail has of it, with who was refused."""
    for deed in Deed.objects.about("order", order.pk):
        text = _("Audit trail: %(action)s (%(outcome)s)") % {
            "action": deed.action,
            "outcome": deed.get_outcome_display(),
        }
        link = reverse("admin:audit_entry_change", args=[deed.pk])
        yield Moment(deed.at, text, deed.actor, is_internal=True, link=link)


def _team(order: Order, moments: Iterable[Moment]) -> set[str]:
    """Those addresses in what was done that are of its owner's own people."""
    found = {address for moment in moments for address in EMAIL.findall(moment.actor)}
    people = User.objects.filter(email__in=found, membership__organization=order.organization_id)
    return set(people.values_list("email", flat=True)) if found else set()


def _shown(actor: str, team: set[str] | None) -> str:
    """Who did something. Of people outside the `team` (if one is given) no address is shown."""
    if actor == ITSELF.text:
        return str(settings.PORTAL_NAME)
    if team is None:
        return actor
    return EMAIL.sub(lambda found: found[0] if found[0] in team else _("the 3PL"), actor)


def tracking(parcel: Parcel) -> str:
    """Where it can be followed. A warehouse's word is not trusted: what is no web address is no link."""
    return parcel.tracking_url if parcel.tracking_url.lower().startswith(("https://", "http://")) else ""
