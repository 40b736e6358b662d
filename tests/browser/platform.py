"""What the sandbox knows of a store."""

from ..sandbox.driver import Sandbox
from .owner import Place


def id_of(place: Place, sandbox: Sandbox) -> str:
    """The only store of its brand, unless the place names one."""
    brand = sandbox.brand(place.brand)
    (found,) = [store["id"] for store in brand["stores"] if place.store in ("", store["name"])]
    return found


def times_connected(place: Place, sandbox: Sandbox) -> int:
    """How often the portal has asked the platform to connect the store, however that was answered."""
    asked = sandbox.control("GET", "requests").json()["requests"]
    path = f"/stores/{id_of(place, sandbox)}/connection"
    return sum(one["method"] == "POST" and one["path"].endswith(path) for one in asked)
