"""What people of the 3PL do with the stores of an integration; each entered in the trail under their name."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import Membership, Role, User
from apps.api.errors import Problem
from apps.audit.trail import Actor, record
from apps.integrations.connectors.base import ConnectorError
from apps.integrations.models import Integration
from apps.onboarding import connecting, sentences
from apps.shops.models import Connection, ConnectionQuerySet
from apps.syncs import queueing
from apps.syncs.models import SyncRun

CONNECT = [Role.OWNER, Role.ADMIN, Role.MEMBER]


def who_may_connect(integration: Integration) -> list[str]:
    """The addresses of those of its organization who can open a link to reconnect: owners first."""
    people = Membership.objects.filter(organization=integration.organization_id, role__in=CONNECT, user__is_active=True)
    found = dict(people.values_list("user__email", "role"))
    return sorted(found, key=lambda email: (found[email] != Role.OWNER, email))


@transaction.atomic
def pause(integration: Integration, store: Connection | None, *, actor: Actor, reason: str) -> int:
    """Nothing is read from this store, or from all of the integration's, until it is resumed. Returns how many."""
    paused = queueing.pause(_stores(integration, store))
    _note(integration, store, "pause", paused, actor=actor, reason=reason)
    return paused


@transaction.atomic
def resume(integration: Integration, store: Connection | None, *, actor: Actor, reason: str) -> int:
    """They go on, beginning with a sync. Returns how many."""
    resumed = queueing.resume(_stores(integration, store))
    _note(integration, store, "resume", resumed, actor=actor, reason=reason)
    return resumed


def _stores(integration: Integration, store: Connection | None) -> ConnectionQuerySet:
    stores = Connection.objects.filter(integration=integration)
    return stores.filter(pk=store.pk) if store else stores


def _note(
    integration: Integration, store: Connection | None, word: str, changed: int, *, actor: Actor, reason: str
) -> None:
    room, row = ("connection", store) if store else ("integration", integration)
    record(actor, f"{room}.{word}", on=row, after={"stores": changed}, reason=reason)


@transaction.atomic
def sync(
    integration: Integration,
    code: str,
    *,
    store: Connection | None,
    since: datetime | None,
    by: User,
    actor: Actor,
) -> list[SyncRun]:
    """Owe one kind of sync to its stores, or to one; orders also from a moment on. Raises Problem as queueing.ask."""
    runs = queueing.ask(integration, code, by=by, store=store, since=since)
    after = {"kind": code, "store": str(store or ""), "since": since.isoformat() if since else "", "runs": len(runs)}
    record(actor, "integration.sync", on=integration, after=after)
    return runs


def replace_id(store: Connection, wanted: str, *, actor: Actor, reason: str) -> None:
    """Give a connected store another id at its platform (behaviour 90): DELETE, then POST.

    Raises Problem (conflict) with what its owner would read; it stands in the trail as well, since the platform may
    have been asked.
    """
    before, after = {"ext_shop_id": store.ext_shop_id}, {"ext_shop_id": wanted}
    if problem := _replace(store, wanted, actor=actor, reason=reason):
        why = f"{reason} {problem}".strip()
        record(actor, "connection.replace-id", on=store, before=before, after=after, refused=True, reason=why)
        raise Problem("conflict", problem)


def _replace(store: Connection, wanted: str, *, actor: Actor, reason: str) -> str:
    """Why it could not be done; empty when it was."""
    platform = store.kind.name
    if not store.is_live:
        return _("This store is not connected at the moment.")
    try:
        connecting.change_id(store, wanted, by=actor, reason=reason)
    except connecting.IdTaken:
        return sentences.of_connecting("id_taken", platform=platform)
    except connecting.HeldElsewhere as error:
        words = {"platform": platform, "held": error.held}
        return _("%(platform)s has this store under another ID than we thought: “%(held)s”.") % words
    except ConnectorError as error:
        return sentences.of_changing(error.code, platform=platform)
    store.refresh_from_db(fields=["ext_shop_id"])
    return "" if store.ext_shop_id == wanted else _("Somebody else is changing this store just now.")
