"""A connected warehouse, as its owner sees it: how it is doing, what it knows of our products, how much lies there."""

from typing import Any

from django.db.models import Sum
from django.http import HttpResponse

from apps.accounts.deciding import SignedIn
from apps.catalog.models import Handover, StockLevel
from apps.htmx import show
from apps.shops.models import Connection
from apps.syncs import sentences as run_sentences
from apps.syncs.models import Drift, SyncRun

from .. import sentences, status

RUNS_SHOWN = 10
REFUSED_SHOWN = 100


def show_warehouse(request: SignedIn, connection: Connection, *, undoable: bool) -> HttpResponse:
    """Its page. `undoable`: it is being disconnected, and its owner may still think again."""
    runs = SyncRun.objects.for_principal(request).filter(shop=connection.shop_id).select_related("integration")
    sent = list(runs.imports().newest_first()[:RUNS_SHOWN]) if connection.shop_id else []
    run = sent[0] if sent else None
    problem = sentences.of_connecting(connection.problem, platform=connection.kind.name) if connection.problem else ""
    context = {
        "connection": connection,
        "status": status.of(connection, run),
        "problem": problem,
        "run": run,
        "runs": sent,
        "polling": bool(run and not run.is_finished) or connection.state == Connection.State.CONNECTING,
        "undoable": undoable,
        **_known_there(request, connection),
    }
    return show(request, "onboarding/warehouse_page.html", context, part="live")


def _known_there(request: SignedIn, connection: Connection) -> dict[str, Any]:
    """What it knows, what it refused and why, and how much lies there."""
    told = Handover.objects.for_principal(request).filter(integration=connection.integration)
    refused = told.exclude(error="")
    levels = StockLevel.objects.for_principal(request).filter(location__integration=connection.integration)
    return {
        "count": told.good().count(),
        "refused_count": refused.count(),
        "refused": [
            {"product": one.product, "why": run_sentences.why_refused(one.error)}
            for one in refused.select_related("product").order_by("sku")[:REFUSED_SHOWN]
        ],
        "drifts": Drift.objects.for_principal(request).filter(shop=connection.shop_id).count(),
        "pieces": levels.aggregate(pieces=Sum("on_hand", default=0))["pieces"],
        "location": connection.integration and connection.integration.locations.first(),
    }
