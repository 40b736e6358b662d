"""Three peers that tell of stock, at addresses of their own, and no limit on how often all are called.

All take a warehouse's report as the portal does, with all that is asked of a caller. When that is committed, `direct`
posts the message in the same process, before it answers; `queued` leaves that to a task. Nothing that they owe is
written down by them: what a crash takes is gone. `celery` is what most Django code does who wants to know what it
owes: a row for the delivery, and a task that loads it, posts, and says in it how it went, as in the bench of fan-out.
"""

import json
import os
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.urls import include, path

from apps.api import limits
from apps.api.lanes import quick_or_careful
from apps.api.policy import POLICY
from apps.api.routes import operations
from apps.catalog import quick
from apps.catalog.inventory_api import report_inventory
from apps.webhooks import signing
from config import urls

from . import posting

KEY = signing.new_key()
ADDRESS = os.environ["PEERS_POST_TO"]


def telling(tell: Callable[[dict[str, Any]], Any]) -> Any:
    """The portal's view, both lanes of it, with `tell` called after its commit, with the data of the message."""

    def view(request: HttpRequest) -> Any:
        answer = portal(request)
        told = json.loads(request.body)
        [row] = told["rows"]
        data = {"location_id": told["location_id"], "sku": row["sku"], "in_stock": row["on_hand"]}
        tell(data | {"note": "x" * 150})
        return answer

    view.csrf_exempt = True  # type: ignore[attr-defined]
    return view


def direct(data: dict[str, Any]) -> None:
    posting.send(*message(data))


def queued(data: dict[str, Any]) -> None:
    posting.send.delay(*message(data))


def message(data: dict[str, Any]) -> tuple[str, str, str, str]:
    return ADDRESS, f"msg_{data['in_stock']}", KEY, json.dumps({"type": "stock.changed", "data": data})


def celery(data: dict[str, Any]) -> None:
    posting.deliver.delay(posting.owe(os.environ["PEERS_HOOK"], data).pk)


portal = quick_or_careful(quick.take, operations(post=report_inventory))
limits.CALLS = limits.Rate(1_000_000, 1_000_000)
PEERS = {"direct": direct, "queued": queued, "celery": celery}
for name in PEERS:
    POLICY[f"bench-{name}", "POST"] = POLICY["inventory-reports", "POST"]  # of the careful lane
routes = [path(name, telling(tell), name=f"bench-{name}") for name, tell in PEERS.items()]
urls.urlpatterns.insert(0, path("bench/", include(routes)))
