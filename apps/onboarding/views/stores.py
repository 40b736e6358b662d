"""The owner's own pages: my stores, one store, its products, and what can be done with it."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.accounts.deciding import SignedIn, actor_of, needs, of_organization, show_closed
from apps.catalog import explaining, worklist
from apps.catalog.models import Listing
from apps.htmx import go, show
from apps.integrations.connectors import offered
from apps.integrations.connectors.base import ConnectorError, Connects
from apps.orders import waiting
from apps.shops import partnering
from apps.shops.models import Connection
from apps.syncs import offering
from apps.syncs import sentences as run_sentences
from apps.syncs.models import Drift, SyncRun
from apps.syncs.queueing import cancel, owe, owe_first
from apps.webhooks.models import Endpoint

from .. import connecting, sentences, status, telling
from ..forms import ChangeIdForm
from ..spreadsheets import harmless
from . import warehouses

PAGE = 50
WAITING_SHOWN = 20
RUNS_SHOWN = 10
FAILURES_SHOWN = 100


@login_required
@of_organization
def home(request: SignedIn) -> HttpResponse:
    """My stores, and what waits for me."""
    if not request.user.organization:
        return redirect("admin:index") if request.user.is_staff else render(request, "onboarding/nobody.html")
    if not request.user.organization.is_active:
        return show_closed(request)
    found = status.rows(Connection.objects.for_principal(request).shown())
    unfinished = status.waiting_for_owner(found)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "waiting": unfinished[:WAITING_SHOWN],
        "waiting_count": len(unfinished),
        "reasons": [one for one in waiting.reasons(request.user.organization) if one.is_urgent],
        "unknown": worklist.counts(request.user.organization),
        "troubles": status.troubles(Endpoint.objects.for_principal(request))[:WAITING_SHOWN],
        "busy": any(row.status.icon == "refresh" for row in page),
        "may_add_warehouse": _may_add_warehouse(found),
    }
    return show(request, "onboarding/home.html", context, part="stores")


def _may_add_warehouse(found: Iterable[status.Row]) -> bool:
    """Whether there is one to be had, and none yet."""
    is_offered = any(connector.is_warehouse for connector in offered())
    return is_offered and not any(row.connection.is_warehouse for row in found)


def connection_of(request: SignedIn, pk: UUID) -> Connection:
    made = Connection.objects.for_principal(request).with_everything().exclude(state=Connection.State.DRAFT)
    return get_object_or_404(made, pk=pk)


def read_by_us(request: SignedIn, pk: UUID) -> Connection:
    """One at a platform that we call. A partner's application calls us: there is nothing to start, change or stop."""
    connection = connection_of(request, pk)
    if connection.is_partners:
        raise Http404
    return connection


@login_required
@needs("see")
def store(request: SignedIn, pk: UUID) -> HttpResponse:
    """One store: how it is doing, what happened lately, what can be done."""
    connection = connection_of(request, pk)
    if connection.is_warehouse:
        return warehouses.show_warehouse(request, connection, undoable=connecting.is_undoable(connection))
    runs = list(
        SyncRun.objects.imports()
        .filter(shop=connection.shop_id)
        .select_related("integration")
        .newest_first()[:RUNS_SHOWN]
    )
    run = runs[0] if runs else None
    context = {
        "connection": connection,
        "status": status.of(connection, run),
        "run": run,
        "runs": runs,
        "polling": bool(run and not run.is_finished) or connection.state == Connection.State.CONNECTING,
        "count": Listing.objects.for_principal(request).filter(shop=connection.shop_id).current().count(),
        "drifts": Drift.objects.for_principal(request).filter(shop=connection.shop_id).count(),
        "can_compare": connection.integration is not None and offering.can_compare(connection.integration),
        "failures": _explained(run) if run else [],
        "told": telling.of(connection),
        "orders": waiting.counts(request.organization, shop=connection.shop_id),
        "hold_minutes": connection.integration.order_hold_seconds // 60 if connection.integration else 0,
        "keeps_record": connection.kind.can(Connects),
        "undoable": connecting.is_undoable(connection),
    }
    return show(request, "onboarding/store_page.html", context, part="live")


def _explained(run: SyncRun) -> list[dict[str, str]]:
    found = run.failures.all()[:FAILURES_SHOWN]
    return [{"ref": failure.ref, "why": run_sentences.why_item(failure.code)} for failure in found]


@login_required
@needs("see")
def products(request: SignedIn, pk: UUID) -> HttpResponse:
    """What a store sells, searchable, by SKU; keyset pages, so the last is as quick as the first."""
    connection = connection_of(request, pk)
    text = request.GET.get("q", "").strip()[:200]
    listings = Listing.objects.for_principal(request).filter(shop=connection.shop_id).current().matching(text)
    after = _number(request.GET.get("after", ""))
    start = Listing.objects.for_principal(request).filter(shop=connection.shop_id, pk=after).first() if after else None
    ordered = listings.after(start) if start else listings.order_by("sku", "pk")
    found = list(ordered[: PAGE + 1])
    shown = found[:PAGE]
    stock = explaining.totals(request.organization, [listing.product_id for listing in shown if listing.product_id])
    context = {
        "connection": connection,
        "items": [(listing, stock.get(listing.product_id or 0)) for listing in shown],
        "next": found[PAGE - 1].pk if len(found) > PAGE else None,
        "is_first": start is None,
        "count": listings.count(),
        "q": text,
    }
    return show(request, "onboarding/products.html", context, part="results")


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


class _Line:
    """A file for csv.writer that hands each line on."""

    def write(self, line: str) -> str:
        return line


CSV_COLUMNS = (
    "ext_product_id", "ext_variant_id", "sku", "name", "barcodes", "price", "currency", "quantity", "image_src",
)  # fmt: skip


@login_required
@needs("see")
def products_csv(request: SignedIn, pk: UUID) -> StreamingHttpResponse:
    """Every product of a store as a file, streamed. What a spreadsheet would run starts with an apostrophe."""
    connection = connection_of(request, pk)
    listings = Listing.objects.for_principal(request).filter(shop=connection.shop_id).current()
    rows = listings.order_by("sku", "pk").values_list(*CSV_COLUMNS).iterator(2_000)
    response = StreamingHttpResponse(_lines(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="products.csv"'
    return response


def _lines(rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(CSV_COLUMNS)
    for row in rows:
        yield writer.writerow([harmless(_cell(cell)) for cell in row])


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(value)
    return "" if value is None else str(value)


@login_required
@needs("connect")
@require_POST
def sync(request: SignedIn, pk: UUID) -> HttpResponse:
    """Read the products again, now. With `accept` the owner vouches for a list that is much shorter than before."""
    connection = read_by_us(request, pk)
    if not connection.is_live:
        messages.error(request, _("This store is not connected at the moment, so nothing was started."))
    elif connection.is_warehouse:
        owe_first(connection, by=request.user)
        messages.success(request, _("We are sending your products and reading the stock now."))
    else:
        owe(connection, by=request.user, accepts_removals="accept" in request.POST)
        messages.success(request, _("We are reading your products now."))
    return go(request, "store", connection.pk)


@login_required
@needs("connect")
@require_POST
def stop(request: SignedIn, pk: UUID) -> HttpResponse:
    """Stop the run at work. What it has brought in stays."""
    connection = connection_of(request, pk)
    run = SyncRun.objects.imports().unfinished().filter(shop=connection.shop_id).first()
    if run and cancel(run):
        messages.success(request, _("Stopped. What had arrived stays."))
    else:
        messages.info(request, _("There was nothing to stop any more."))
    return go(request, "store", connection.pk)


@login_required
@needs("connect")
@require_POST
def pause(request: SignedIn, pk: UUID) -> HttpResponse:
    connection = read_by_us(request, pk)
    if connecting.pause(connection, by=actor_of(request)):
        messages.success(request, _("Paused. Nothing is read until you resume."))
    return go(request, "store", connection.pk)


@login_required
@needs("connect")
@require_POST
def resume(request: SignedIn, pk: UUID) -> HttpResponse:
    connection = connection_of(request, pk)
    if connecting.resume(connection, by=actor_of(request)):
        messages.success(request, _("Resumed. We are reading your products now."))
    return go(request, "store", connection.pk)


@login_required
@needs("connect")
def disconnect(request: SignedIn, pk: UUID) -> HttpResponse:
    """Say what will stop, then stop it, with time to think again where a platform has to be told."""
    connection = connection_of(request, pk)
    if request.method == "POST":
        if told := _disconnect(request, connection):
            messages.success(request, told)
        else:
            messages.info(request, _("There was nothing to disconnect any more."))
        return redirect("store", connection.pk)
    context = {"connection": connection, "minutes": settings.UNDO_DISCONNECT_SECONDS // 60}
    return render(request, "onboarding/disconnect.html", context)


def _disconnect(request: SignedIn, connection: Connection) -> str:
    """What to tell; empty when it was not connected any more."""
    if connection.is_partners:
        is_done = partnering.disconnect(connection, actor=actor_of(request), closes_shop=True)
        return _("Disconnected.") if is_done else ""
    is_done = connecting.disconnect(connection, by=actor_of(request))
    return _("Disconnected. You can still undo this for a while.") if is_done else ""


@login_required
@needs("connect")
@require_POST
def undo(request: SignedIn, pk: UUID) -> HttpResponse:
    connection = connection_of(request, pk)
    if connecting.undo_disconnect(connection, by=actor_of(request)):
        messages.success(request, _("Undone. Everything is as it was."))
    else:
        messages.error(request, _("It was too late to undo this. You can connect the store again."))
    return go(request, "store", connection.pk)


@login_required
@needs("connect")
def change_id(request: SignedIn, pk: UUID) -> HttpResponse:
    """Replace the id the platform knows this store by; the page says first what that does.

    With the id it has already, a connection that the platform has lost is made there anew.
    """
    connection = read_by_us(request, pk)
    posted = request.POST if request.method == "POST" else None
    form = ChangeIdForm(posted, initial={"ext_shop_id": connection.ext_shop_id})
    if form.is_valid():
        problem = _change_id(request, connection, form.cleaned_data["ext_shop_id"])
        if not problem:
            return redirect("store", connection.pk)
        form.add_error("ext_shop_id", problem)
    return render(request, "onboarding/change_id.html", {"connection": connection, "form": form})


def _change_id(request: SignedIn, connection: Connection, wanted: str) -> str:
    """Why it could not be done; empty when it was."""
    platform = connection.kind.name
    if not connection.is_live:
        return _("This store is not connected at the moment.")
    try:
        connecting.change_id(connection, wanted, by=actor_of(request))
    except connecting.IdTaken:
        return sentences.of_connecting("id_taken", platform=platform)
    except connecting.HeldElsewhere as error:
        held = {"platform": platform, "held": error.held}
        return _("%(platform)s has this store under another ID than we thought: “%(held)s”.") % held
    except ConnectorError as error:
        return sentences.of_changing(error.code, platform=platform)
    messages.success(request, _("The store is connected as “%(id)s”.") % {"id": wanted})
    return ""
