"""What a connected warehouse has besides its shop: a location of its own, and what it was told of our products."""

from apps.catalog import owing
from apps.catalog.models import Handover, Location
from apps.shops.models import Connection


def open_up(connection: Connection) -> Location:
    """The warehouse's one location, made if there is none (behaviour 69), in use again if there is.

    A warehouse that was not connected until now may have forgotten our products: it is told of all of them anew.
    """
    assert connection.integration
    place = {"organization": connection.organization, "integration": connection.integration, "ext_location_id": ""}
    name = _free_name(connection)
    location, _ = Location.objects.get_or_create(**place, defaults={"kind": Location.Kind.GRID, "name": name})
    if not location.is_active:
        _use(location, is_active=True)
        Handover.objects.filter(integration=connection.integration).update(version=0)
    return location


def close_down(connection: Connection) -> None:
    """What lies there is still shown, and no longer sold: nobody tells us of it any more."""
    for location in Location.objects.active().filter(integration=connection.integration):
        _use(location, is_active=False)


def _use(location: Location, *, is_active: bool) -> None:
    location.is_active = is_active
    location.save(update_fields=["is_active", "updated_at"])
    owing.owe_location(location)


def _free_name(connection: Connection) -> str:
    """The name of the account there, which no other location of the organization has."""
    assert connection.integration
    name = connection.integration.account_name[:150]
    taken = set(Location.objects.filter(organization=connection.organization).values_list("name", flat=True))
    return next(free for n in range(1, len(taken) + 2) if (free := name if n == 1 else f"{name} {n}") not in taken)
