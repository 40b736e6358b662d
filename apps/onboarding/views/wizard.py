"""The steps from choosing a platform to the first import."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.accounts.deciding import SignedIn, actor_of, needs
from apps.accounts.models import Brand, Store
from apps.htmx import go, show
from apps.integrations.connectors import Connector, offered
from apps.integrations.connectors.base import ConnectorError, Unauthorized
from apps.integrations.structure import land_brands, land_stores
from apps.shops.models import Connection
from apps.syncs.models import SyncRun

from .. import connecting, drafts, sentences
from ..forms import IdentifyForm, ReplaceForm
from ..steps import rail, url
from .permission import with_draft

PAGE = 20
STALE_SECONDS = 600  # a list of brands or stores older than this is asked for again


@login_required
@needs("connect")
def platforms(request: SignedIn) -> HttpResponse:
    """Choose a platform. Posting begins a draft, or goes on with one begun before."""
    return _choose(request, [connector for connector in offered() if not connector.is_warehouse])


@login_required
@needs("connect")
def warehouses(request: SignedIn) -> HttpResponse:
    """The same for a warehouse, which has stock and no stores. One that is connected already is shown instead."""
    choices = [connector for connector in offered() if connector.is_warehouse]
    return _choose(request, choices, to_warehouse=True)


def _choose(request: SignedIn, choices: Sequence[Connector], *, to_warehouse: bool = False) -> HttpResponse:
    page = "onboarding/warehouse.html" if to_warehouse else "onboarding/platform.html"
    context: dict[str, Any] = {"connectors": choices, **rail("platform", to_warehouse=to_warehouse)}
    if request.method != "POST":
        return render(request, page, context)
    chosen = next((one for one in choices if one.slug == request.POST.get("platform")), None)
    if chosen is None:
        return render(request, page, context | {"problem": _("Please choose one of these.")})
    held = Connection.objects.for_principal(request).held_stores().filter(connector=chosen.slug)
    if to_warehouse and (connected := held.first()):
        return redirect("store", connected.pk)
    draft = drafts.start(chosen, organization=request.organization, by=request.user)
    return redirect("connect-authorize", draft.pk)


@login_required
@needs("connect")
def resume(request: SignedIn, pk: UUID) -> HttpResponse:
    """Wherever the draft is: on any device, any day."""
    found = get_object_or_404(Connection.objects.for_principal(request).with_everything(), pk=pk)
    if found.is_draft:
        return redirect(f"connect-{found.next_step}", pk)
    return redirect("connect-progress" if found.state == Connection.State.CONNECTING else "store", pk)


@login_required
@needs("connect")
@with_draft
def brand(request: SignedIn, draft: Connection) -> HttpResponse:
    if draft.next_step == "authorize" or draft.is_warehouse:
        return redirect(f"connect-{draft.next_step}", draft.pk)
    integration = draft.integration
    assert integration
    problem, complete = "", True
    if request.method == "POST":
        chosen = _chosen(drafts.brands(draft), request.POST.get("brand"))
        if chosen:
            drafts.choose_brand(draft, chosen)
            return redirect("connect-store", draft.pk)
        problem = _("Please choose one of these brands.")
    elif _is_stale(integration.brands_listed_at):
        try:
            complete = land_brands(integration)
        except Unauthorized:
            return redirect("connect-authorize", draft.pk)
        except ConnectorError as error:
            problem, complete = sentences.of_listing(error.code, platform=draft.kind.name), False
    found = drafts.brands(draft)
    if complete and not problem and found.count() == 1:
        drafts.choose_brand(draft, found.get())
        return redirect("connect-store", draft.pk)
    context = _list_context(request, draft, found, step="brand", problem=problem, complete=complete)
    return show(request, "onboarding/brand.html", context, part="results")


@login_required
@needs("connect")
@with_draft
def store(request: SignedIn, draft: Connection) -> HttpResponse:
    if draft.next_step in {"authorize", "brand"} or draft.is_warehouse:
        return redirect(f"connect-{draft.next_step}", draft.pk)
    assert draft.brand and draft.integration
    problem, complete = "", True
    if request.method == "POST":
        chosen = _chosen(draft.brand.stores.all(), request.POST.get("store"))
        if chosen:
            return _take_store(request, draft, chosen)
        problem = _("Please choose one of these stores.")
    elif _is_stale(draft.brand.stores_listed_at):
        try:
            complete = land_stores(draft.brand, integration=draft.integration)
        except Unauthorized:
            return redirect("connect-authorize", draft.pk)
        except ConnectorError as error:
            problem, complete = sentences.of_listing(error.code, platform=draft.kind.name), False
    if complete and not problem and "stay" not in request.GET and draft.brand.stores.count() == 1:
        return _take_store(request, draft, draft.brand.stores.get())
    return _show_stores(request, draft, problem=problem, complete=complete)


def _show_stores(request: SignedIn, draft: Connection, *, problem: str = "", complete: bool = True) -> HttpResponse:
    assert draft.brand
    text = request.GET.get("q", "").strip()[:200]
    context = _list_context(
        request, draft, draft.brand.stores.matching(text), step="store", problem=problem, complete=complete
    )
    held = Connection.objects.held_stores().filter(integration=draft.integration, store__in=context["items"])
    others = drafts.brands(draft).exclude(pk=draft.brand.pk)
    context |= {"q": text, "held": set(held.values_list("store_id", flat=True)), "other_brands": others.exists()}
    return show(request, "onboarding/store.html", context, part="results")


def _take_store(request: SignedIn, draft: Connection, chosen: Store) -> HttpResponse:
    try:
        drafts.choose_store(draft, chosen)
    except drafts.NotThere:
        problem = _("%(platform)s does not know that store any more.") % {"platform": draft.kind.name}
        return _show_stores(request, draft, problem=problem)
    except Unauthorized:
        return redirect("connect-authorize", draft.pk)
    except ConnectorError as error:
        return _show_stores(request, draft, problem=sentences.of_listing(error.code, platform=draft.kind.name))
    return redirect("connect-taken" if drafts.ours(draft) else "connect-identify", draft.pk)


@login_required
@needs("connect")
@with_draft
def taken(request: SignedIn, draft: Connection) -> HttpResponse:
    """This organization has connected that store already: say by whom and since when, and offer what can be done."""
    other = drafts.ours(draft) if draft.store else None
    if other is None:
        return redirect("connect-resume", draft.pk)
    return render(request, "onboarding/taken.html", {"draft": draft, "other": other, **rail("store", draft)})


@login_required
@needs("connect")
@with_draft
def identify(request: SignedIn, draft: Connection) -> HttpResponse:
    if draft.next_step in {"authorize", "brand", "store"}:
        return redirect(f"connect-{draft.next_step}", draft.pk)
    if drafts.ours(draft):
        return redirect("connect-taken", draft.pk)
    called = draft.store.name if draft.store else draft.organization.name
    initial = {
        "name": draft.name or called[:200],
        "ext_shop_id": draft.ext_shop_id or drafts.suggest_id(draft),
    }
    form = IdentifyForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        drafts.identify(draft, **form.cleaned_data)
        return redirect("connect-review", draft.pk)
    return render(request, "onboarding/identify.html", {"draft": draft, "form": form, **rail("identify", draft)})


@login_required
@needs("connect")
def review(request: SignedIn, pk: UUID) -> HttpResponse:
    """What will be read and written; posting connects. A store the platform holds already is shown with a choice."""
    draft = get_object_or_404(Connection.objects.for_principal(request).with_everything(), pk=pk)
    if not draft.is_draft:
        return redirect("connect-progress", draft.pk)  # pressed twice, or back after connecting
    if draft.next_step != "review":
        return redirect(f"connect-{draft.next_step}", draft.pk)
    if request.method == "POST":
        agreed = ReplaceForm(request.POST)
        if agreed.is_valid() and agreed.cleaned_data["replaces"]:
            drafts.agree_to_replace(draft, agreed.cleaned_data["replaces"])
        return _connect(request, draft)
    held, problem = "", draft.problem
    try:
        held = drafts.held_at_platform(draft) or ""
    except Unauthorized:
        return redirect("connect-authorize", draft.pk)
    except ConnectorError as error:
        problem = error.code
    return _show_review(request, draft, held=held, problem=problem)


def _show_review(request: SignedIn, draft: Connection, *, held: str, problem: str) -> HttpResponse:
    conflict = held if held and held != draft.ext_shop_id else ""
    if held and drafts.belongs_to_others(draft, held):
        conflict, problem = "", "other_organization"
    shown = "" if not problem or problem == "held_elsewhere" else problem
    text = sentences.of_connecting(shown, platform=draft.kind.name) if shown else ""
    context = {"draft": draft, "held": conflict, "problem": text, **rail("review", draft)}
    page = "onboarding/warehouse_review.html" if draft.is_warehouse else "onboarding/review.html"
    return render(request, page, context)


def _connect(request: SignedIn, draft: Connection) -> HttpResponse:
    try:
        connecting.connect(draft, by=actor_of(request))
    except connecting.IdTaken:
        form = IdentifyForm({"name": draft.name, "ext_shop_id": draft.ext_shop_id})
        form.add_error("ext_shop_id", sentences.of_connecting("id_taken", platform=draft.kind.name))
        return render(request, "onboarding/identify.html", {"draft": draft, "form": form, **rail("identify", draft)})
    except connecting.StoreTaken:
        return redirect("connect-taken", draft.pk)
    except connecting.HeldElsewhere as error:
        return _show_review(request, draft, held=error.held, problem="")
    except Unauthorized:
        return redirect("connect-authorize", draft.pk)
    except ConnectorError as error:
        if error.code != "silent_halfway":
            return _show_review(request, draft, held="", problem=error.code)
    return redirect("connect-progress", draft.pk)


@login_required
@needs("see")
def progress(request: SignedIn, pk: UUID) -> HttpResponse:
    """The first import, as it happens; then what to do next. The page may be closed at any time."""
    found = get_object_or_404(Connection.objects.for_principal(request).with_everything(), pk=pk)
    if found.state not in {Connection.State.CONNECTING, Connection.State.ACTIVE}:
        return go(request, "connect-resume", found.pk)
    if found.is_warehouse:
        return go(request, "store", found.pk)
    run = SyncRun.objects.imports().filter(shop=found.shop_id).newest_first().select_related("integration").first()
    problem = sentences.of_connecting(found.problem, platform=found.kind.name) if found.problem else ""
    polling = not run or not run.is_finished
    context = {"connection": found, "run": run, "polling": polling, "problem": problem, **rail("progress")}
    return show(request, "onboarding/progress.html", context, part="state")


@login_required
@needs("connect")
@require_POST
@with_draft
def discard(request: SignedIn, draft: Connection) -> HttpResponse:
    drafts.discard(draft)
    return redirect("home")


def _is_stale(listed_at: Any) -> bool:
    return listed_at is None or (timezone.now() - listed_at).total_seconds() > STALE_SECONDS


def _chosen(rows: Any, pk: str | None) -> Any:
    """The row a form names; None when it names none of these, or nothing that could be one."""
    try:
        return rows.filter(pk=pk).first() if pk else None
    except (ValidationError, ValueError):
        return None


def _list_context(
    request: SignedIn, draft: Connection, rows: Any, *, step: str, problem: str, complete: bool
) -> dict[str, Any]:
    """One keyset page of brands or stores, by name."""
    after = _chosen(rows.model.objects.for_principal(request), request.GET.get("after"))
    ordered = rows.order_by("name", "pk")
    if after:
        ordered = ordered.filter(Q(name__gt=after.name) | Q(name=after.name, pk__gt=after.pk))
    found: list[Brand | Store] = list(ordered[: PAGE + 1])
    return {
        "draft": draft,
        "items": found[:PAGE],
        "next": found[PAGE - 1].pk if len(found) > PAGE else None,
        "is_first": after is None,
        "count": rows.count(),
        "problem": problem,
        "complete": complete,
        "here": url(step, draft),
        **rail(step, draft),
    }
