"""Behaviour 60: no route of the API lets a shop's token, or a shop's integration, change a stock number."""

import pytest

from apps.catalog.models import StockLevel, StockMovement
from tests import factories

from .callers import TRUSTED
from .routes import ROUTES, body_of, ids, send
from .world import make_world

NUMBERS = {name: 77 for name in ("on_hand", "in_stock", "quantity", "reserved", "available", "incoming", "stock")}
SIDES = {name: caller for name, caller in TRUSTED.items() if caller.side == "registered"}


FREES = {"DELETE order"}  # what was reserved for an order that is cancelled (behaviour 77): no pieces come or go by it


def _numbers(route):
    if str(route) in FREES:
        return list(StockLevel.objects.order_by("pk").values("pk", "on_hand", "incoming", "missing"))
    return list(StockLevel.objects.order_by("pk").values()), StockMovement.objects.count()


@pytest.mark.django_db
@pytest.mark.parametrize("who", SIDES)
@pytest.mark.parametrize("route", [route for route in ROUTES if route.method != "GET"], ids=str)
def test_no_route_lets_a_shop_change_stock(route, who):
    world = make_world("stock")
    factories.make_location(organization=world.organization, kind="external")
    caller, before = SIDES[who], _numbers(route)
    address = route.address(ids(route, world, caller.side))
    plain = body_of(route, world, caller.side)
    bodies = [plain, NUMBERS]
    if isinstance(plain, dict):
        bodies += [plain | NUMBERS, plain | {"inventory": NUMBERS}]
    for body in bodies:
        answer = send(route, address, headers=caller.credential(world), body=body)
        assert answer.status_code < 500
    assert _numbers(route) == before
