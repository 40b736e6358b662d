"""What is broken, by its cause: all in one list, what most orders wait for first; and setting one aside."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.accounts.models import Organization, User
from apps.api.errors import invalid
from apps.audit.trail import Actor, record
from apps.catalog.models import Location
from apps.integrations.models import Integration
from apps.shops.models import Shop
from apps.webhooks import holding
from apps.webhooks.models import Endpoint

from .causes import MOST, Cause, Kind, Narrow, Unknown, read
from .kinds import KINDS
from .kinds.amounts import messages, orders
from .models import Dismissal
from .models.dismissals import LONGEST_KEY, LONGEST_TITLE

ABOUT: dict[str, Any] = {"organization": Organization, "integration": Integration, "shop": Shop, "endpoint": Endpoint}
LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Trouble:
    """A cause in words. `rows` are the rows it is about, by their names; `at_risk` is empty where nothing waits."""

    cause: Cause
    title: str
    about: Mapping[str, Any]
    at_risk: str
    dismissal: Dismissal | None = None

    @property
    def organization(self) -> Any:
        return self.about.get("organization")

    @property
    def integration(self) -> Any:
        return self.about.get("integration")


@dataclass(frozen=True, slots=True)
class Found:
    """All that was looked for: `causes`, with the dismissals by their keys. `more` are kinds of which there are more
    than anybody looks through."""

    causes: Sequence[Cause]
    dismissals: Mapping[str, Dismissal]
    more: Collection[Kind]


def look(kinds: Iterable[Kind], narrow: Narrow | None = None, *, dismissed: bool = False) -> Found:
    """What is broken of these kinds: those that nobody has set aside, or those that somebody has."""
    causes, more = [], []
    for kind in kinds:
        found = kind.causes(narrow or Narrow())
        causes += found[:MOST]
        more += [kind] if len(found) > MOST else []
    dismissals = _dismissals(causes)
    wanted = [cause for cause in causes if (cause.key in dismissals) == dismissed]
    return Found(sorted(wanted, key=lambda cause: (-cause.orders, cause.first)), dismissals, more)


def _dismissals(causes: Collection[Cause]) -> dict[str, Dismissal]:
    """Those that hold, by key: nothing has happened since."""
    by_key = {cause.key: cause for cause in causes}
    rows = Dismissal.objects.filter(key__in=list(by_key)).select_related("by") if by_key else []
    return {row.key: row for row in rows if _is_as_it_was(by_key[row.key], row)}


def _is_as_it_was(cause: Cause, then: Dismissal) -> bool:
    return cause.count <= then.count if cause.kind.repeats else cause.last <= then.seen_at


def counts(kinds: Iterable[Kind] = KINDS) -> dict[str, int]:
    """How many problems there are of each kind that has any, by its code. Those set aside do not count."""
    found = look(kinds)
    return {kind.code: n for kind in KINDS if (n := sum(cause.kind is kind for cause in found.causes))}


def find(address: str) -> Trouble | None:
    """That of this address; None when its cause is gone. Raises Unknown."""
    kind, refs = read(address, KINDS)
    cause = kind.cause(refs)
    if cause is None:
        return None
    return next(iter(in_words([cause], _dismissals([cause]))))


def ids(address: str) -> QuerySet[Any]:
    """Of the rows that the problem of this address counts; none when its cause is gone. Raises Unknown."""
    kind, refs = read(address, KINDS)
    return kind.ids(refs)


def kind_of(address: str) -> Kind:
    """The kind of problem that an address stands for. Raises Unknown."""
    return read(address, KINDS)[0]


def in_words(causes: Sequence[Cause], dismissals: Mapping[str, Dismissal]) -> list[Trouble]:
    """As people read them; in as many statements for many as for one."""
    rows = {name: _named(name, causes) for name in ABOUT}
    held = holding.held(rows["endpoint"].values()) if rows["endpoint"] else {}
    return [_in_words(cause, rows, held, dismissals.get(cause.key)) for cause in causes]


def _named(name: str, causes: Sequence[Cause]) -> dict[str, Any]:
    """The rows of this name that any of these is about, by id."""
    ids = {cause.refs[name] for cause in causes if cause.refs.get(name)}
    return {str(pk): row for pk, row in ABOUT[name].objects.in_bulk(list(ids)).items()} if ids else {}


def _in_words(cause: Cause, rows: Mapping[str, Any], held: Mapping[Any, Any], dismissal: Dismissal | None) -> Trouble:
    about = {name: rows[name].get(value) for name, value in cause.refs.items() if name in ABOUT}
    said = {name: about.get(name, value) or "–" for name, value in cause.refs.items()}
    words = said | {"why": cause.kind.why({**cause.refs, **about})}
    title = (str(cause.kind.title) % words).strip()
    return Trouble(
        cause, title, about, _at_risk(cause, held.get(getattr(about.get("endpoint"), "pk", None))), dismissal
    )


def _at_risk(cause: Cause, held: Any) -> str:
    if cause.orders:
        return orders(cause.orders)
    return messages(held.count) if held else ""


def warehouse_of(trouble: Trouble) -> Integration | None:
    """The integration that ships from the place of these orders, and is to know their shipping method."""
    refs = trouble.cause.refs
    places = Location.objects.filter(name=refs["place"], integration__organization=refs["organization"])
    place = places.select_related("integration__partner", "integration__organization").first()
    return place.integration if place else None


@transaction.atomic
def dismiss(problem: Trouble, *, reason: str, actor: Actor, by: User) -> Dismissal:
    """Set it aside until something new happens. Raises Problem validation_error without a reason, and for one whose
    key is longer than is remembered."""
    reason = reason.strip()
    if not 0 < len(reason) <= LONGEST_REASON:
        raise invalid("reason", _("Say why, in at most 300 characters."))
    if len(problem.cause.key) > LONGEST_KEY:
        raise invalid("reason", _("What this problem is about is too long to be remembered."))
    said = {"title": problem.title[:LONGEST_TITLE], "reason": reason, "by": by}
    said |= {"seen_at": problem.cause.last, "count": problem.cause.count}
    dismissal, _made = Dismissal.objects.update_or_create(key=problem.cause.key, defaults=said)
    record(_acting(actor, problem), "problem.dismiss", on=dismissal, after=_shown(problem), reason=reason)
    return dismissal


@transaction.atomic
def heed(problem: Trouble, *, actor: Actor) -> bool:
    """Bring it back into the list. False when nobody had set it aside."""
    dismissal = Dismissal.objects.select_for_update().filter(key=problem.cause.key).first()
    if dismissal is None:
        return False
    record(_acting(actor, problem), "problem.heed", on=dismissal, before={"reason": dismissal.reason})
    dismissal.delete()
    return True


def let_go() -> int:
    """Of what was set aside and repeats, and is not there any more: when it comes back, it is new. Returns how many."""
    gone = [row.pk for row in Dismissal.objects.filter(count__gt=0) if _is_gone(row)]
    return Dismissal.objects.filter(pk__in=gone).update(count=0)


def _is_gone(dismissal: Dismissal) -> bool:
    try:
        kind, refs = read(Cause.address_of(dismissal.key), KINDS)
        return kind.repeats and kind.cause(refs) is None
    except Unknown:
        return False


def _acting(actor: Actor, problem: Trouble) -> Actor:
    """Entered under the organization and the integration that the problem is of."""
    refs = problem.cause.refs
    return replace(actor, organization_id=refs.get("organization"), integration_id=refs.get("integration"))


def _shown(problem: Trouble) -> dict[str, Any]:
    return {"count": problem.cause.count, "orders": problem.cause.orders}
