"""A partner's application connects a store to itself (Otter: contracts 3.2). We call nobody for it."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from apps.accounts.models import Store
from apps.api.errors import Problem
from apps.audit.trail import Actor, record
from apps.integrations.models import Integration

from .models import Connection, Shop

State = Connection.State


@transaction.atomic
def connect(store: Store, *, integration: Integration, ext_shop_id: str, actor: Actor) -> Connection:
    """Connect the store under the partner's own id for it.

    Of calls that come at once, constraints let one through. Raises Problem: already_connected; store_id_taken when
    the application has another store under that id anywhere, or the organization another shop.
    """
    try:
        with transaction.atomic():
            connection = _connect(store, integration=integration, ext_shop_id=ext_shop_id)
    except IntegrityError as error:
        held = Connection.objects.held_stores().filter(integration=integration, store=store)
        raise Problem("already_connected" if held.exists() else "store_id_taken") from error
    record(actor, "connection.create", on=connection, after={"store": str(store.pk), "ext_shop_id": ext_shop_id})
    return connection


def _connect(store: Store, *, integration: Integration, ext_shop_id: str) -> Connection:
    """The pair's former row again, or a new one. Raises IntegrityError."""
    place: dict[str, Any] = {"organization": store.organization, "integration": integration, "store": store}
    shop = _shop(place, ext_shop_id=ext_shop_id)
    live = {"state": State.ACTIVE, "shop": shop, "ext_shop_id": ext_shop_id, "connected_at": Now()}
    if not Connection.objects.filter(**place, state=State.DISCONNECTED).update(**live, updated_at=Now()):
        name = {"brand": store.brand, "name": store.name[:200], "connector": integration.connector}
        Connection.objects.create(**place, **live, **name)
    return Connection.objects.live().with_everything().get(**place)


def _shop(place: dict[str, Any], *, ext_shop_id: str) -> Shop:
    """The shop the partner knows by this id goes with the store; else the store's shop gets the id.

    An id names a shop at the partner's: what came in under it stays with it, whichever store it is put to.
    """
    of_integration = Shop.objects.filter(integration=place["integration"])
    of_store = of_integration.filter(store=place["store"])
    of_id = of_integration.filter(ext_shop_id=ext_shop_id)
    opened = {"is_active": True, "deactivated_at": None}
    if of_id.exists():
        of_store.exclude(ext_shop_id=ext_shop_id).update(store=None)
        of_id.update(store=place["store"], **opened)
    elif not of_store.update(ext_shop_id=ext_shop_id, **opened):
        Shop.objects.create(**place, name=place["store"].name[:200], ext_shop_id=ext_shop_id)
    return of_store.get()


@transaction.atomic
def disconnect(connection: Connection, *, actor: Actor, closes_shop: bool = False) -> bool:
    """Disconnect at once. False when it was not connected any more.

    A shop that is there for the connection only is closed. One with a token of its own stays open for the partner,
    who may be about to replace its id (behaviour 53), unless `closes_shop`: then its token is void as well.
    """
    held = Connection.objects.held_stores().filter(pk=connection.pk)
    if not held.update(state=State.DISCONNECTED, lease_until=None, updated_at=Now()):
        return False
    if closes_shop or not (connection.shop and connection.shop.has_token):
        Shop.objects.filter(connections=connection).close()
    record(actor, "connection.delete", on=connection, before={"ext_shop_id": connection.ext_shop_id})
    return True
