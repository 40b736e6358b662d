"""The history of an integration's configuration: whoever changes it leaves a revision, in the same transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.api.errors import Problem
from apps.audit.trail import Actor

from .exporting import differences, export
from .models import Integration, Revision
from .showing import fields_of, secrets_of

type Document = dict[str, Any]
type Secrets = dict[str, Any]

_at_work: ContextVar[frozenset[Any]] = ContextVar("integrations_at_work", default=frozenset())


def revisions_of(integration: Integration) -> QuerySet[Revision]:
    """Newest first."""
    return Revision.objects.of_integration(integration)


def newest(integration: Integration) -> Revision | None:
    """The one that holds; None before its configuration was ever changed."""
    return revisions_of(integration).first()


def document_of(integration: Integration) -> Document:
    """All that its revisions remember: what an export holds, and what belongs to this one integration alone."""
    own = {"orderHoldSeconds": integration.order_hold_seconds, "stockBuffer": integration.stock_buffer}
    return export(integration) | own


@contextmanager
def revised(
    integration: Integration,
    *,
    actor: Actor,
    origin: str = Revision.Origin.CHANGE,
    note: str = "",
    based_on: int | None = None,
) -> Iterator[None]:
    """What changes in here of its configuration is one revision; nothing is none. One inside another is part of that.

    What changed before unseen, or before there was a history, becomes a revision of its own first. `based_on` is the
    number of the revision that the change was made from, 0 if there was none. Raises Problem stale_version.
    """
    if integration.pk in _at_work.get():
        yield
        return
    mark = _at_work.set(_at_work.get() | {integration.pk})
    try:
        with transaction.atomic():
            had = _locked(integration)
            last = newest(had)
            _check_base(last, based_on)
            secrets = _secrets(had)
            if origin != Revision.Origin.MADE:
                last = _keep(had, last, actor=Actor(""), origin=Revision.Origin.FOUND)
            yield
            has = _locked(integration)
            _keep(has, last, actor=actor, origin=origin, note=note, hidden=_hidden(secrets, _secrets(has)))
    finally:
        _at_work.reset(mark)


def _locked(integration: Integration) -> Integration:
    rows = Integration.objects.select_related("partner", "organization")
    return rows.select_for_update(no_key=True, of=("self",)).get(pk=integration.pk)


def _check_base(last: Revision | None, based_on: int | None) -> None:
    number = last.number if last else 0
    if based_on is not None and based_on != number:
        text = _("Somebody saved version %(n)d meanwhile. Look at it, and save again.") % {"n": number}
        raise Problem("stale_version", text, details=[("based_on", text)])


def _secrets(integration: Integration) -> Secrets:
    return secrets_of(integration, fields_of(integration))


def _hidden(before: Secrets, after: Secrets) -> list[dict[str, Any]]:
    """Which secrets changed, in words that give nothing away."""
    keys = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
    return [
        {
            "attribute": f"settings.{key}",
            "before": "set" if key in before else "not set",
            "after": "changed" if key in after else "not set",
        }
        for key in keys
    ]


def _keep(
    integration: Integration,
    last: Revision | None,
    *,
    actor: Actor,
    origin: str,
    note: str = "",
    hidden: list[dict[str, Any]] | None = None,
) -> Revision:
    """Its revision now: the last one, when that says the same already."""
    document = document_of(integration)
    changes = differences(last.document, document) if last else []
    changes = sorted([*changes, *(hidden or [])], key=lambda change: str(change["attribute"]))
    if last and not changes:
        return last
    return Revision.objects.create(
        organization=integration.organization,
        integration=integration,
        number=last.number + 1 if last else 1,
        origin=origin,
        document=document,
        changes=changes,
        note=note,
        user_id=actor.user_id,
        actor=actor.text[:300],
    )
