"""Asking for shipping services: those of a warehouse or carrier, or the methods that a platform offers its customers.

They belong to the integration, whichever of its stores names them. What is no longer named is marked, and kept: a
mapping may still lead to it.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from apps.integrations.connectors.base import LONGEST_ID, BadItem, Rejected, is_storable
from apps.integrations.connectors.orders import RemoteService
from apps.integrations.sessions import call
from apps.orders import shipping
from apps.orders.models import ShippingService
from apps.shops.models import Connection

from .keeping import connection_of, end, note_failures, write
from .models import SyncRun

State = SyncRun.State
NO_LIST = 404  # this installation has no such list: what we know, if anything, stays


def pull_services(found: SyncRun) -> None:
    """All that the integration's connected stores name now. Raises as `running.run` expects.

    When another store's run has asked since this one was queued, there is nothing left to do.
    """
    connection_of(found.shop_id)
    if _has_been_asked(found):
        end(found, State.SUCCEEDED)
        return
    try:
        told = list(_told(found))
    except Rejected as refused:
        if refused.status != NO_LIST:
            raise
        end(found, State.SUCCEEDED, detail=str(refused))
        return
    _take(found, told)


def _has_been_asked(found: SyncRun) -> bool:
    of_others = SyncRun.objects.filter(organization=found.organization_id, integration=found.integration_id)
    since = of_others.filter(kind=found.kind, started_at__gte=found.created_at)
    return since.filter(state__in=[State.SUCCEEDED, State.PARTIAL]).exists()


def _told(found: SyncRun) -> Iterator[RemoteService]:
    for connection in Connection.objects.live().with_everything().filter(integration=found.integration_id):
        yield from call(found.integration, partial(_services_of, connection))
        write(found)  # keeps the lease while others take their time


def _services_of(connection: Connection, client: Any) -> list[RemoteService]:
    return list(client.services(connection.ref))


@transaction.atomic
def _take(found: SyncRun, told: Sequence[RemoteService]) -> None:
    """Write what differs, and have orders looked at again that a new name may help."""
    good = {service.code: service for service in told if _is_usable(service)}
    bad = [BadItem(service.code or "?", "unreadable") for service in told if not _is_usable(service)]
    note_failures(found, bad)
    before = dict(shipping.services_of(found.integration).filter(removed_at=None).values_list("code", "name"))
    changed = [service for service in good.values() if before.get(service.code) != service.name]
    _write(found, changed)
    gone = before.keys() - good.keys()
    shipping.services_of(found.integration).filter(code__in=gone).update(removed_at=Now())
    if changed:
        shipping.look_again(found.organization_id)
    created = sum(service.code not in before for service in changed)
    end(
        found,
        State.PARTIAL if bad else State.SUCCEEDED,
        done=len(good) + len(bad),
        total=len(good) + len(bad),
        created_count=created,
        updated_count=len(changed) - created,
        removed_count=len(gone),
        failed_count=len(bad),
    )


def _write(found: SyncRun, services: Sequence[RemoteService]) -> None:
    place = {"organization_id": found.organization_id, "integration_id": found.integration_id}
    ShippingService.objects.bulk_create(
        [ShippingService(**place, code=service.code, name=service.name or service.code) for service in services],
        update_conflicts=True,
        unique_fields=["organization", "integration", "code"],
        update_fields=["name", "removed_at"],
    )


def _is_usable(service: RemoteService) -> bool:
    return (
        0 < len(service.code) <= LONGEST_ID
        and len(service.name) <= LONGEST_ID
        and all(map(is_storable, (service.code, service.name)))
    )
