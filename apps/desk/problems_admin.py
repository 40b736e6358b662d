"""The pages of problems: what is broken, by cause, and what mends each."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.serializers import ValidationError
from unfold.decorators import display

from apps.accounts.deciding import SignedIn, actor_of
from apps.api.errors import Problem, problem_of
from apps.integrations.connectors.base import is_storable
from apps.operations import ReadOnlyAdmin, address_of, ago

from . import fixing, problems
from .causes import MOST, Cause, Kind, Unknown
from .fixing import Asked, Fix
from .kinds import KINDS
from .models import Dismissal
from .problem_filter import OF_PROBLEM
from .problem_forms import DismissForm, LookForm, form_for
from .problems import Trouble

PER_PAGE = 25
SHOWN = 10  # rows that the page of a problem names
# Where one has to look before, or instead of, pressing the button: a list, and what the link to it says.
ELSEWHERE: dict[str, tuple[str, Any]] = {
    "refused-message": ("admin:webhooks_inbox_changelist", gettext_lazy("See how its sender signs")),
    "no-location": ("admin:catalog_location_changelist", gettext_lazy("See the locations")),
    "refused-order": ("admin:orders_routingrule_changelist", gettext_lazy("See the rules")),
}


def seen_by(request: HttpRequest) -> list[Kind]:
    """The kinds of problems that this person may look at."""
    return [kind for kind in KINDS if request.user.has_perm(kind.permission)]


@admin.site.admin_view
def problems_page(request: SignedIn) -> HttpResponse:
    """All problems that were looked for. The filters stand in the address."""
    form = LookForm(_storable(request.GET), kinds=seen_by(request))
    found = problems.look(form.wanted, form.narrow, dismissed=form.is_dismissed)
    page = Paginator(found.causes, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "title": _("Problems"),
        "form": form,
        "page": page,
        "problems": problems.in_words(list(page), found.dismissals),
        "more": [kind.name for kind in found.more],
        "most": MOST,
        "may_look": bool(form.kinds),
        "set_aside": 0 if form.is_dismissed else len(found.dismissals),
        "rest": _without_page(request.GET),
        "media": form.media,
    }
    return render(request, "admin/problems/list.html", admin.site.each_context(request) | context)


def _storable(given: QueryDict) -> dict[str, str]:
    return {name: value for name, value in given.items() if isinstance(value, str) and is_storable(value)}


def _without_page(given: QueryDict) -> str:
    rest = given.copy()
    rest.pop("page", None)
    return rest.urlencode()


@admin.site.admin_view
def problem_page(request: SignedIn, address: str) -> HttpResponse:
    """One problem, and the forms that mend it and set it aside. One that is gone leads back to the list."""
    trouble = _trouble(request, address)
    if trouble is None:
        messages.info(request, _("This problem is gone: nothing fails for that reason any more."))
        return redirect("problems")
    if request.method != "POST":
        return _show(request, trouble)
    match request.POST.get("deed"):
        case "fix":
            return _fix(request, trouble)
        case "dismiss":
            return _dismiss(request, trouble)
        case "heed":
            return _heed(request, trouble)
    raise Http404


def _trouble(request: SignedIn, address: str) -> Trouble | None:
    """Raises Http404 for what is no problem's address, PermissionDenied for what they may not look at."""
    try:
        needed = problems.kind_of(address).permission
        if not request.user.has_perm(needed):
            raise PermissionDenied(needed)
        return problems.find(address)
    except Unknown:
        raise Http404 from None


def _may(request: SignedIn, fix: Fix | None) -> bool:
    return bool(fix and request.user.has_perm(fix.permission))


def _show(
    request: SignedIn,
    trouble: Trouble,
    *,
    form: forms.Form | None = None,
    dismissing: forms.Form | None = None,
) -> HttpResponse:
    fix, text = fixing.fix_of(trouble), request.GET.get("q", "").strip()[:100]
    if fix and form is None:
        form = form_for(fix.asks, trouble, None, text=text if is_storable(text) else "")
    refused = any(one.errors for one in (form, dismissing) if one)
    context = {
        "title": trouble.cause.kind.name,
        "trouble": trouble,
        "rows": _named(trouble.cause),
        "list": _list(trouble.cause),
        "elsewhere": _elsewhere(trouble.cause.kind),
        "fix": fix,
        "may_fix": _may(request, fix),
        "before": fix.before(trouble) if fix else "",
        "form": form,
        "q": text,
        "dismissing": dismissing or DismissForm(),
        "may_dismiss": request.user.has_perm("desk.add_dismissal"),
        "may_heed": request.user.has_perm("desk.delete_dismissal"),
    }
    status = 422 if refused else 200
    return render(request, "admin/problems/problem.html", admin.site.each_context(request) | context, status=status)


def _named(cause: Cause) -> list[tuple[str, str]]:
    """The first of what fails, each with its page."""
    found = cause.kind.shown(cause.rows.order_by("pk"))[:SHOWN]
    return [(str(row), address_of(row)) for row in found]


def _list(cause: Cause) -> str:
    """All of it, in the list of its kind."""
    model = cause.kind.model._meta
    return reverse(f"admin:{model.app_label}_{model.model_name}_changelist", query={OF_PROBLEM: cause.address})


def _elsewhere(kind: Kind) -> tuple[str, Any] | None:
    known = ELSEWHERE.get(kind.code)
    return known and (reverse(known[0]), known[1])


def _fix(request: SignedIn, trouble: Trouble) -> HttpResponse:
    fix = fixing.fix_of(trouble)
    if fix is None:
        raise Http404
    if not _may(request, fix):
        raise PermissionDenied(fix.permission)
    form = form_for(fix.asks, trouble, request.POST)
    if not form.is_valid():
        return _show(request, trouble, form=form)
    try:
        said = fix.do(Asked(trouble, form.cleaned_data, actor_of(request), request.user))
    except (Problem, ValidationError) as error:
        for text in _told(error):
            form.add_error(None, text)
        return _show(request, trouble, form=form)
    messages.success(request, said)
    return redirect("problems")


def _told(error: Exception) -> Collection[str]:
    problem = problem_of(error)
    return [message for _attribute, message in problem.details] or [problem.detail or problem.title]


def _dismiss(request: SignedIn, trouble: Trouble) -> HttpResponse:
    if not request.user.has_perm("desk.add_dismissal"):
        raise PermissionDenied("desk.add_dismissal")
    form = DismissForm(request.POST)
    if not form.is_valid():
        return _show(request, trouble, dismissing=form)
    try:
        problems.dismiss(trouble, reason=form.cleaned_data["reason"], actor=actor_of(request), by=request.user)
    except Problem as error:
        form.add_error("reason", list(_told(error)))
        return _show(request, trouble, dismissing=form)
    messages.success(request, _("Set aside, until something new happens."))
    return redirect("problems")


def _heed(request: SignedIn, trouble: Trouble) -> HttpResponse:
    if not request.user.has_perm("desk.delete_dismissal"):
        raise PermissionDenied("desk.delete_dismissal")
    if problems.heed(trouble, actor=actor_of(request)):
        messages.success(request, _("It is in the list again."))
    return redirect("problem", trouble.cause.address)


@admin.register(Dismissal)
class DismissalAdmin(ReadOnlyAdmin):
    """What was set aside, also when its cause is gone since. Bringing one back is done on the problem's own page."""

    list_display = ["title", "reason", "by", ago("at", gettext_lazy("set aside")), "is_there"]
    list_select_related = ["by"]
    search_fields = ["title", "reason", "by__email"]
    ordering = ["-at", "-pk"]
    fields = ["title", "reason", "by", "at", "seen_at", "is_there"]
    readonly_fields = ["is_there"]

    @display(description=gettext_lazy("problem"))
    def is_there(self, dismissal: Dismissal) -> str:
        link = reverse("problem", args=[Cause.address_of(dismissal.key)])
        return format_html('<a class="text-link" href="{}">{}</a>', link, _("Open it"))
