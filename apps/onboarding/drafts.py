"""What an owner has chosen so far, on the way to a connected store. Each choice is checked against the platform."""

import re
import unicodedata
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from apps.accounts.models import Brand, Organization, Store, User
from apps.integrations.connectors import Connector
from apps.integrations.connectors.base import Connects, Rejected, StoreRef
from apps.integrations.models import Integration
from apps.integrations.sessions import call
from apps.shops.models import Connection, Shop


class NotThere(Exception):
    """The platform does not know the store any more."""


def start(connector: Connector, *, organization: Organization, by: User) -> Connection:
    """A draft for this platform: the one this person began and left before choosing a store, or a new one."""
    begun = Connection.objects.drafts().filter(
        organization=organization, connector=connector.slug, created_by=by, store=None
    )
    return begun.first() or Connection.objects.create(
        organization=organization, connector=connector.slug, created_by=by, ids_are_shared=connector.shares_ids
    )


def _note(draft: Connection, **chosen: Any) -> None:
    """Write down what was chosen, unless the draft was connected or thrown away since it was read.

    Whoever took their time on a page left open elsewhere must not turn a connected store into a draft.
    """
    for name, value in chosen.items():
        setattr(draft, name, value)
    still = Connection.objects.drafts().filter(pk=draft.pk)
    still.update(**chosen, problem="", updated_at=timezone.now())


def attach(draft: Connection, integration: Integration) -> None:
    """The draft goes on with this permission. Choices made with another account's are forgotten.

    At a warehouse nothing is left to choose: it gets the organization's name, and an id that is free.
    """
    if draft.integration_id != integration.pk:
        _note(draft, integration=integration, brand=None, store=None, name="", ext_shop_id="", replaces="")
    if draft.is_warehouse and not draft.ext_shop_id:
        identify(draft, name=draft.organization.name[:200], ext_shop_id=suggest_id(draft))


def brands(draft: Connection) -> Any:
    """The brands to choose from."""
    assert draft.integration
    return Brand.objects.filter(organization=draft.organization, source=draft.integration.source)


def choose_brand(draft: Connection, brand: Brand) -> None:
    if draft.brand_id != brand.pk:
        _note(draft, brand=brand, store=None, name="", ext_shop_id="", replaces="")


def choose_store(draft: Connection, store: Store) -> None:
    """Take the store, after asking the platform whether it is still there. Raises NotThere, or a ConnectorError."""
    assert draft.integration and draft.brand
    brand_ref, store_ref = draft.brand.ext_id, store.ext_id
    try:
        remote = call(draft.integration, lambda client: client.store(brand_ref, store_ref))
    except Rejected as rejected:
        if rejected.code != "not_found":
            raise
        raise NotThere from rejected
    store.name, store.address = remote.name, remote.address
    store.save(update_fields=["name", "address"])
    if draft.store_id != store.pk:
        _note(draft, store=store, name="", ext_shop_id="", replaces="")


def identify(draft: Connection, *, name: str, ext_shop_id: str) -> None:
    _note(draft, name=name, ext_shop_id=ext_shop_id, replaces="")


def agree_to_replace(draft: Connection, held: str) -> None:
    """The owner has seen that the platform holds this id, and wants ours in its place."""
    _note(draft, replaces=held)


def ours(draft: Connection) -> Connection | None:
    """The connection of this organization that occupies the draft's store already, if any."""
    holding = Connection.objects.held_stores().with_everything()
    return holding.filter(integration=draft.integration, store=draft.store).exclude(pk=draft.pk).first()


def held_at_platform(draft: Connection) -> str | None:
    """The id under which the platform has this store connected to us, if it keeps such a record."""
    assert draft.integration
    if not draft.kind.can(Connects):
        return None
    ref: StoreRef = draft.ref
    return call(draft.integration, lambda client: client.connection(ref))


def belongs_to_others(connection: Connection, held: str) -> bool:
    """Whether the platform's record is one that we keep for another organization.

    All of them share our one application there, so that to replace it would cut the other one off.
    """
    if connection.store is None:
        return False  # a warehouse's token knows of one shop, which it has opened itself
    same = Connection.objects.with_shared_ids(connection.connector).filter(ext_shop_id=held)
    return same.filter(store__ext_id=connection.store.ext_id).exclude(organization=connection.organization).exists()


def suggest_id(draft: Connection) -> str:
    """An id that keeps every platform's rules, reads like the name of the store or its owner, and is not taken."""
    former = Shop.objects.filter(integration=draft.integration, store=draft.store).first()
    if former:
        return former.ext_shop_id
    name = draft.store.name if draft.store else draft.organization.name
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60] or "store"
    ours = Shop.objects.filter(organization=draft.organization)
    at_platform = Connection.objects.with_shared_ids(draft.connector)
    taken = {
        name
        for rows in (ours, at_platform)
        for name in rows.filter(ext_shop_id__startswith=stem).values_list("ext_shop_id", flat=True)
    }
    return next(name for n in range(1, len(taken) + 2) if (name := stem if n == 1 else f"{stem}-{n}") not in taken)


def connect_anew(connection: Connection) -> bool:
    """A new permission at a warehouse may have no shop there yet: the sweep that finishes what hangs asks, and opens it
    under the id it had. False when it is not at work.
    """
    now = timezone.now()
    live = Connection.objects.live().filter(pk=connection.pk)
    return bool(live.update(state=Connection.State.CONNECTING, replaces=F("ext_shop_id"), lease_until=now))


@transaction.atomic
def discard(draft: Connection) -> bool:
    """Throw the draft away. False when it is a draft no longer."""
    return bool(Connection.objects.drafts().filter(pk=draft.pk).delete()[0])
