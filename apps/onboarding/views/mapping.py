"""The list of SKU pairs of an integration: look at it, change it, see what that would do, save it, go back."""

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.accounts.deciding import SignedIn, actor_of, needs
from apps.api.errors import Problem
from apps.catalog import mapping, pairs, previewing, remapping
from apps.catalog.models import SkuMapping
from apps.catalog.pairs import Pair
from apps.htmx import go
from apps.integrations.models import Integration

from ..forms import MappingForm
from .worklist import integration_of

TYPED = 500  # pairs that are shown to be typed over; more are a file
VERSIONS_SHOWN = 50
KEPT = 60 * 60  # seconds that a preview can be saved


@login_required
@needs("see")
def show_mapping(request: SignedIn, pk: UUID) -> HttpResponse:
    """The pairs and their versions. What is typed or uploaded is shown with what it would change, not saved yet."""
    integration = integration_of(request, pk)
    if request.method != "POST":
        return _page(request, integration, _form(integration))
    if not request.user.may("connect"):
        raise PermissionDenied("connect")
    if "version" in request.POST:
        return _preview_version(request, integration, request.POST["version"])
    form = MappingForm(request.POST, request.FILES)
    if form.is_valid() and not form.cleaned_data["pairs"] and not _is_typed(integration):
        form.add_error("text", _("Type the pairs, or choose a file."))
    if not form.is_valid():
        return _page(request, integration, form)
    origin = SkuMapping.Origin.FILE if form.cleaned_data["file"] else SkuMapping.Origin.LINE
    draft = {"pairs": form.cleaned_data["pairs"], "origin": str(origin), "note": form.cleaned_data["note"]}
    return _preview(request, integration, draft | {"version": None, "based_on": form.cleaned_data["based_on"]})


def _is_typed(integration: Integration) -> bool:
    """Whether the field shows all pairs that hold. Empty, it then means that there shall be none."""
    return len(remapping.pairs_of(integration)) <= TYPED


def _form(integration: Integration) -> MappingForm:
    newest = remapping.newest(integration)
    text = pairs.written(remapping.pairs_of(integration)) if _is_typed(integration) else ""
    return MappingForm(initial={"text": text, "based_on": newest.number if newest else 0})


def _page(request: SignedIn, integration: Integration, form: MappingForm) -> HttpResponse:
    versions = remapping.versions(integration).select_related("created_by").defer("pairs")
    context = {
        "integration": integration,
        "form": form,
        "count": len(remapping.pairs_of(integration)),
        "ours_first": mapping.sides(integration)[0] == "first",
        "versions": list(versions[:VERSIONS_SHOWN]),
    }
    return render(request, "onboarding/mapping.html", context)


def _preview_version(request: SignedIn, integration: Integration, text: str) -> HttpResponse:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
    old = remapping.versions(integration).filter(number=number).first()
    if old is None:
        messages.error(request, _("There is no version %(n)s.") % {"n": text[:20]})
        return go(request, "mapping", integration.pk)
    newest = remapping.newest(integration)
    draft = {"pairs": old.pairs, "origin": "rollback", "note": "", "version": number}
    return _preview(request, integration, draft | {"based_on": newest.number if newest else 0})


def _preview(request: SignedIn, integration: Integration, draft: dict[str, Any]) -> HttpResponse:
    """What it would change, with a button that saves just that."""
    found = previewing.preview(integration, [Pair(*pair) for pair in draft["pairs"]])
    token = uuid4().hex
    cache.set(_key(integration, token), draft | {"pairs": [list(pair) for pair in draft["pairs"]]}, KEPT)
    context = {"integration": integration, "preview": found, "token": token, "version": draft["version"]}
    return render(request, "onboarding/mapping_preview.html", context)


def _key(integration: Integration, token: str) -> str:
    return f"mapping:{integration.pk}:{token}"


@login_required
@needs("connect")
@require_POST
def save_mapping(request: SignedIn, pk: UUID) -> HttpResponse:
    """Save what the preview showed."""
    integration = integration_of(request, pk)
    token = request.POST.get("draft", "")
    draft = cache.get(_key(integration, token)) if token.isalnum() and len(token) == 32 else None
    if draft is None:
        messages.error(request, _("This was too long ago. Please look at it again."))
        return go(request, "mapping", pk)
    try:
        made = _save(request, integration, draft)
    except Problem as problem:
        messages.error(request, problem.detail or problem.title)
    else:
        messages.success(request, _("Saved as version %(n)d.") % {"n": made.number})
    return go(request, "mapping", pk)


def _save(request: SignedIn, integration: Integration, draft: dict[str, Any]) -> SkuMapping:
    who: dict[str, Any] = {"actor": actor_of(request), "by": request.user, "based_on": draft["based_on"]}
    if draft["version"] is not None:
        return remapping.roll_back(integration, draft["version"], **who)
    chosen = [Pair(*pair) for pair in draft["pairs"]]
    return remapping.save(integration, chosen, origin=SkuMapping.Origin(draft["origin"]), note=draft["note"], **who)


@login_required
@needs("see")
def mapping_csv(request: SignedIn, pk: UUID) -> StreamingHttpResponse:
    """All pairs as a file that can be changed and uploaded again."""
    integration = integration_of(request, pk)
    lines = pairs.as_csv(remapping.pairs_of(integration))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="sku-pairs.csv"'
    return response
