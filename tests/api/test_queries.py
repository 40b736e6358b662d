"""What each operation takes in the address, against what the description says that it takes."""

from typing import Any

from rest_framework.request import Request

from tests.api.test_description import operations
from tests.tenancy.callers import CALLERS, TRUSTED
from tests.tenancy.routes import ROUTES, Route, body_of, ids, send
from tests.tenancy.world import World, make_world, undone

ASKING = [*TRUSTED.values(), CALLERS["application"]]


class Watched(dict[str, str]):
    """What an address says; notes in `asked` what a view looks for."""

    def __init__(self, said: dict[str, str], asked: set[str]) -> None:
        super().__init__(said)
        self.asked = asked

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.asked.add(str(name))
        return super().__contains__(name)

    def dict(self) -> "Watched":
        return self


def status(route: Route, world: World) -> int:
    """What those hear who may ask, up to the first who gets it. Some list nothing without a `limit`."""
    heard = 0
    for caller in ASKING:
        if heard // 100 == 2 or caller.refused(route.rule):
            continue
        headers, body = caller.credential(world), body_of(route, world, caller.side)
        with undone():
            address = route.address(ids(route, world, caller.side))
            heard = send(route, f"{address}?limit=1", headers=headers, body=body).status_code
    return heard


def described(route: Route) -> set[str]:
    said = operations()[f"{route.name}-{route.method}".lower().replace("-", "_")]
    return {one["name"] for one in said.get("parameters", []) if one["in"] == "query"}


def test_an_operation_describes_just_what_it_looks_for_in_the_address(db, monkeypatch):
    asked: set[str] = set()
    monkeypatch.setattr(Request, "query_params", property(lambda self: Watched(self._request.GET.dict(), asked)))
    world = make_world("mine")
    for route in ROUTES:
        asked.clear()
        assert status(route, world) == 200 or route.method != "GET", route
        assert asked == described(route), route
