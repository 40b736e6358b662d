"""What a shop's shipping method means at a warehouse (Pipe17: contracts 2.11, behaviour 80). Names match exactly.

Who has configured nothing, and whose warehouse lists no services, has every name passed on as it is.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from apps.api.errors import Problem
from apps.audit.models import Entry
from apps.audit.trail import Actor, record
from apps.integrations.connectors.base import LONGEST_ID, is_storable
from apps.integrations.models import Integration

from .models import Fulfillment, Hindrance, Nudge, ShippingMethod, ShippingService
from .ringing import ring

MOST = 1_000  # names of one warehouse
MOST_SHOWN = 500
MOST_NAMED = 100  # mistakes that an answer names
SAVED = "shipping.save"  # in the audit trail, with the whole mapping before and after


@dataclass(frozen=True, slots=True)
class Choice:
    """A service as its warehouse knows it; `is_fallback` when a name was given that nothing else knows."""

    code: str
    name: str
    is_fallback: bool = False


@dataclass(frozen=True, slots=True)
class Methods:
    """The whole mapping of a warehouse: codes of services by the names of methods, and that of all other names."""

    pairs: Mapping[str, str]
    fallback: str = ""


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A name that no mapping knows: how many orders wait for it, and how many go by the fallback now."""

    name: str
    waiting: int
    by_fallback: int


def written(pairs: Iterable[tuple[str, str]], *, fallback: str = "") -> Methods:
    """The mapping that somebody wrote down, its names and codes kept to the letter.

    Raises Problem validation_error with each pair that makes no sense.
    """
    found: dict[str, str] = {}
    details: list[tuple[str, str]] = []
    for place, (name, code) in enumerate(pairs):
        if name in found:
            details.append((f"pairs.{place}", _("%(name)s stands there twice.") % {"name": name[:100]}))
        elif not (_is_text(name) and _is_text(code)):
            details.append((f"pairs.{place}", _("A pair is a name and a service, each of 1 to 255 characters.")))
        found[name] = code
    if fallback and not _is_text(fallback):
        details.append(("fallback", _("Use 1 to 255 characters.")))
    if len(found) > MOST:
        details.append(("pairs", _("There is room for %(n)d names.") % {"n": MOST}))
    if details:
        raise Problem("validation_error", details[0][1], details=details[:MOST_NAMED])
    return Methods(found, fallback)


def _is_text(text: str) -> bool:
    return bool(text.strip()) and len(text) <= LONGEST_ID and is_storable(text)


def methods_of(integration: Integration) -> Methods:
    """What holds, by name."""
    pairs = dict(_methods(integration).order_by("name").values_list("name", "code"))
    fallback = pairs.pop("", "")
    return Methods(pairs, fallback)


def _methods(integration: Integration) -> QuerySet[ShippingMethod]:
    return ShippingMethod.objects.filter(organization=integration.organization_id, integration=integration)


def services_of(integration: Integration) -> QuerySet[ShippingService]:
    """All that its other side ever told of, also what it no longer offers."""
    return ShippingService.objects.filter(organization=integration.organization_id, integration=integration)


def service_for(integration: Integration | None, name: str) -> Choice | None:
    """What the warehouse calls this way of shipping; None when nobody has said. People (None) take any name."""
    return services_for(integration, [name])[name]


def services_for(integration: Integration | None, names: Collection[str]) -> dict[str, Choice | None]:
    """`service_for` each of these names, in two statements.

    First the mapping, then a service of that code or name, then the fallback. An order that asks for nothing is shipped
    by the fallback, or as the warehouse likes.
    """
    if integration is None:
        return {name: Choice(name, name) for name in names}
    methods, offered = methods_of(integration), dict(_offered(integration))
    if not (methods.pairs or methods.fallback or offered):
        return {name: Choice(name, name) for name in names}
    by_name = _by_name(offered)
    return {name: _choice(name, methods, offered, by_name) for name in names}


def _offered(integration: Integration) -> QuerySet[ShippingService, tuple[str, str]]:
    return services_of(integration).filter(removed_at=None).values_list("code", "name")


def _by_name(offered: Mapping[str, str]) -> dict[str, str]:
    """Codes by the names that belong to one service alone."""
    times = Counter(offered.values())
    return {name: code for code, name in offered.items() if times[name] == 1}


def _choice(name: str, methods: Methods, offered: Mapping[str, str], by_name: Mapping[str, str]) -> Choice | None:
    if not name:
        return Choice(methods.fallback, offered.get(methods.fallback, methods.fallback))
    code = methods.pairs.get(name) or (name if name in offered else by_name.get(name))
    if code:
        return Choice(code, offered.get(code, code))
    if methods.fallback:
        return Choice(methods.fallback, offered.get(methods.fallback, methods.fallback), is_fallback=True)
    return None


def lock(integration: Integration) -> None:
    """Until the transaction ends nobody else changes its mapping."""
    Integration.objects.select_for_update(no_key=True).get(pk=integration.pk)


@transaction.atomic
def save(integration: Integration, wanted: Methods, *, actor: Actor) -> Methods:
    """Make this the warehouse's whole mapping; orders that waited for a name are looked at again.

    What is at the warehouse already goes on as it was sent. Raises Problem validation_error, and then saves nothing.
    """
    lock(integration)
    had = methods_of(integration)
    check(integration, wanted)
    before, after = _rows(had), _rows(wanted)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    if not changed:
        return had
    _methods(integration).filter(name__in=changed).delete()
    place: dict[str, Any] = {"organization_id": integration.organization_id, "integration": integration}
    fresh = sorted(changed & after.keys())
    ShippingMethod.objects.bulk_create(ShippingMethod(**place, name=name, code=after[name]) for name in fresh)
    record(actor, SAVED, on=integration, before=_shown(had), after=_shown(wanted))
    look_again(integration.organization_id, names=changed)
    return methods_of(integration)


def _rows(methods: Methods) -> dict[str, str]:
    return {**methods.pairs, **({"": methods.fallback} if methods.fallback else {})}


def _shown(methods: Methods) -> dict[str, Any]:
    return {"pairs": dict(methods.pairs), "fallback": methods.fallback}


def history_of(integration: Any) -> QuerySet[Entry]:
    """Every change of a warehouse's mapping (or of the warehouse with this id), newest first."""
    return Entry.objects.about("integration", getattr(integration, "pk", integration)).filter(action=SAVED)


def former(integration: Integration) -> Methods | None:
    """What held before the last change; None when there was none, or when what it made does not hold any more."""
    last = history_of(integration).first()
    if last is None or last.after != _shown(methods_of(integration)):
        return None
    return Methods(last.before["pairs"], last.before["fallback"])


@transaction.atomic
def change_back(integration: Integration, *, actor: Actor, based_on: int | None = None) -> Methods:
    """Make what held before the last change hold again, which is a change of its own.

    `based_on` is the id of that change in the trail. Raises Problem: stale_version when it is no longer the last one,
    conflict when there is nothing to go back to, validation_error when its services are gone.
    """
    lock(integration)
    last = history_of(integration).first()
    if based_on is not None and based_on != (last.pk if last else 0):
        raise Problem("stale_version", _("Somebody changed the shipping methods meanwhile. Look at what holds now."))
    wanted = former(integration)
    if wanted is None:
        raise Problem("conflict", _("There is no change to go back on."))
    return save(integration, wanted, actor=actor)


def check(integration: Integration, wanted: Methods) -> None:
    """Where the warehouse lists its services, a code is one of them; what held already may stay.

    Raises Problem validation_error.
    """
    offered = set(services_of(integration).filter(removed_at=None).values_list("code", flat=True))
    if not offered:
        return
    allowed = offered | set(_methods(integration).values_list("code", flat=True))
    wrong = [(name, code) for name, code in _rows(wanted).items() if code not in allowed]
    if wrong:
        details = [(name or "fallback", _("There is no service %(code)s.") % {"code": code}) for name, code in wrong]
        raise Problem("validation_error", details[0][1], details=details[:MOST_NAMED])


def look_again(organization_id: Any, *, names: Collection[str] = ()) -> None:
    """Orders that wait for one of these names are looked at again; for any name when the fallback, "", is among them.

    Only rows are added here: who saves a mapping never waits for an order.
    """
    refs = [""] if not names or "" in names else sorted(names)
    code = Hindrance.Code.UNMAPPED_METHOD
    Nudge.objects.bulk_create(Nudge(organization_id=organization_id, code=code, ref=ref) for ref in refs)
    transaction.on_commit(ring, robust=True)


def unmapped(integration: Integration) -> list[Unmapped]:
    """Names that nobody has said the meaning of at this warehouse, those of the most orders first."""
    waiting = Counter(dict(_waiting(integration)))
    by_fallback = Counter(dict(_by_fallback(integration)))
    names = sorted(waiting | by_fallback, key=lambda name: (-waiting[name] - by_fallback[name], name))
    found = services_for(integration, names)
    unknown = [name for name in names if not (choice := found[name]) or choice.is_fallback]
    return [Unmapped(name, waiting[name], by_fallback[name]) for name in unknown[:MOST_SHOWN]]


def _waiting(integration: Integration) -> Sequence[tuple[str, int]]:
    """Names that orders of the organization wait for, at whatever warehouse."""
    hindered = Hindrance.objects.filter(organization=integration.organization_id, code=Hindrance.Code.UNMAPPED_METHOD)
    return list(hindered.values_list("ref").annotate(count=Count("pk")))


def _by_fallback(integration: Integration) -> Sequence[tuple[str, int]]:
    live = Fulfillment.objects.filter(integration=integration, is_fallback=True, finished_at=None)
    return list(live.values_list("order__shipping_method").annotate(count=Count("pk")))
