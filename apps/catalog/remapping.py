"""Saving the mapping of an integration: always a new version, and everything that hangs on it follows at once.

Listings move to the products their SKUs mean now, and counts of SKUs that are somebody's now are believed. Stock that
was counted before stays where it is: the ledger explains it, and the warehouse's next count puts it right.
"""

from collections.abc import Collection, Sequence

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.api.errors import Problem
from apps.audit.trail import Actor, record
from apps.integrations.models import Integration

from . import stocking
from .linking import lock
from .mapping import sides
from .models import SkuMapping, SkuPair
from .news import skus_known
from .pairs import Pair
from .relinking import Wanted, relink

type Origin = SkuMapping.Origin


def newest(integration: Integration) -> SkuMapping | None:
    """The version that holds."""
    return versions(integration).first()


def versions(integration: Integration) -> QuerySet[SkuMapping]:
    """Newest first."""
    return SkuMapping.objects.filter(organization=integration.organization_id, integration=integration)


def pairs_of(integration: Integration) -> list[Pair]:
    """What holds, in the order of the first SKU."""
    return [Pair(*pair) for pair in _rows(integration).order_by("first").values_list("first", "second")]


def _rows(integration: Integration) -> QuerySet[SkuPair]:
    return SkuPair.objects.filter(organization=integration.organization_id, integration=integration)


def wanted(integration: Integration, had: Collection[Pair], has: Collection[Pair]) -> Wanted:
    """What each of their SKUs means now whose meaning changed from one set of pairs to the other."""
    own, other = (SIDES.index(side) for side in sides(integration))
    now = {pair[other]: pair[own] for pair in has}
    touched = {pair[other] for pair in set(had) ^ set(has)}
    return {sku: now.get(sku, sku) for sku in sorted(touched)}


SIDES = Pair._fields


@transaction.atomic
def save(
    integration: Integration,
    pairs: Sequence[Pair],
    *,
    origin: Origin,
    actor: Actor,
    by: User | None = None,
    note: str = "",
    based_on: int | None = None,
) -> SkuMapping:
    """Make these pairs (checked by `pairs`) the integration's whole mapping, as its next version.

    `based_on` is the number of the version they were made from, 0 if there was none. What is as it was makes no
    version. Raises Problem stale_version.
    """
    with connection.cursor() as cursor:
        lock(cursor, integration.organization_id)
    before = newest(integration)
    _check_base(before, based_on)
    had = pairs_of(integration)
    if before and set(had) == set(pairs):
        return before
    made = SkuMapping.objects.create(
        organization=integration.organization,
        integration=integration,
        number=before.number + 1 if before else 1,
        pairs=[list(pair) for pair in pairs],
        origin=origin,
        note=note,
        created_by=by,
        actor=actor.text[:255],
    )
    _hold(integration, added=set(pairs) - set(had), removed=set(had) - set(pairs))
    follow(integration, wanted(integration, had, pairs))
    _record(made, before, had=had, actor=actor)
    return made


def _check_base(before: SkuMapping | None, based_on: int | None) -> None:
    number = before.number if before else 0
    if based_on is not None and based_on != number:
        text = _("Somebody saved version %(n)d meanwhile. Look at it, and save again.") % {"n": number}
        raise Problem("stale_version", text, details=[("based_on", text)])


def _hold(integration: Integration, *, added: Collection[Pair], removed: Collection[Pair]) -> None:
    """Write only pairs that differ."""
    _rows(integration).filter(first__in=[pair.first for pair in removed]).delete()
    SkuPair.objects.bulk_create(
        SkuPair(organization_id=integration.organization_id, integration=integration, first=first, second=second)
        for first, second in added
    )


def follow(integration: Integration, meaning: Wanted) -> None:
    """Let listings and waiting counts of these SKUs of theirs go where those lead. Inside a transaction."""
    if meaning:
        relink(integration, meaning)
        stocking.release_held(integration.organization, skus=set(meaning.values()))
        skus_known.send(follow, organization=integration.organization_id, skus=set(meaning))


def _record(made: SkuMapping, before: SkuMapping | None, *, had: Collection[Pair], actor: Actor) -> None:
    old = {"version": before.number, "pairs": len(had)} if before else {}
    new = {"version": made.number, "pairs": len(made.pairs), "origin": str(made.origin)}
    record(actor, "mapping.save", on=made, before=old, after=new)


def roll_back(
    integration: Integration, number: int, *, actor: Actor, by: User | None = None, based_on: int | None = None
) -> SkuMapping:
    """Make the pairs of an older version hold again, as a new version. Number 0 is the time before there were any.

    Raises Problem: not_found, stale_version.
    """
    old = versions(integration).filter(number=number).first()
    if old is None and number != 0:
        raise Problem("not_found", _("There is no version %(n)d.") % {"n": number})
    pairs = [Pair(*pair) for pair in old.pairs] if old else []
    note = _("Version %(n)d again") % {"n": number}
    return save(integration, pairs, origin=SkuMapping.Origin.ROLLBACK, actor=actor, by=by, note=note, based_on=based_on)
