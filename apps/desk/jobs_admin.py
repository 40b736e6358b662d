"""Work over all rows of a list: what it will do, asked before it begins, how it is going, and what came of it."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.formats import number_format
from django.utils.html import format_html_join
from django.utils.text import capfirst, slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.accounts.asking import ask
from apps.accounts.deciding import SignedIn, actor_of
from apps.api.errors import Problem
from apps.integrations.deeds import row_of
from apps.operations import CountlessAdmin, address_of, ago, label, labelled, linked

from . import bulk, exporting, selecting, starting
from .bulk import EXPORT, Deed
from .models import Job
from .selecting import Selection

STATES = {
    Job.State.QUEUED: "info",
    Job.State.RUNNING: "info",
    Job.State.FINISHED: "success",
    Job.State.CANCELLED: "default",
    Job.State.FAILED: "danger",
}
UNTYPED = 100  # rows at most whose number nobody has to type
SAMPLE = 5
LONGEST_FILTER = 4_000


class SureForm(forms.Form):
    """That whoever answers has seen how many rows it is: they may have become fewer, never more. Above UNTYPED they
    type the number. `ticket` is that of the page they answer."""

    expected = forms.IntegerField(widget=forms.HiddenInput)
    ticket = forms.CharField(widget=forms.HiddenInput, required=False)
    typed = forms.CharField(max_length=20, widget=UnfoldAdminTextInputWidget)

    def ask_for(self, number: int, *, ticket: str) -> None:
        self.number, self.initial["expected"], self.initial["ticket"] = number, number, ticket
        if number <= UNTYPED:
            del self.fields["typed"]
            return
        text = _("Type %(n)s to confirm") % {"n": number}
        self.fields["typed"].label = text

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        seen = given.get("expected") or 0
        if seen < self.number or given.get("ticket") != self.initial["ticket"]:
            now = {"expected": str(self.number), "ticket": self.initial["ticket"]}
            self.data = {name: self.data.get(name) for name in self.data} | now
            raise forms.ValidationError(_("It is %(n)s now. Look again, and confirm.") % {"n": self.number})
        typed = "".join(letter for letter in given.get("typed", "") if letter not in " .,'\u00a0\u202f")
        if self.number > UNTYPED and typed != str(seen):
            self.add_error("typed", _("That is not the number."))
        return given


class MineFilter(DropdownFilter):
    title = gettext_lazy("whose")
    parameter_name = "whose"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("mine", _("Mine"))]

    def queryset(self, request: Any, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(asked_by=request.user) if self.value() == "mine" else queryset


def _pages_of(job: Job) -> Any:
    """Of the list it goes through; None when there is no such list any more."""
    try:
        return selecting.listed(job.model)
    except Problem:
        return None


@display(description=gettext_lazy("progress"))
def progress(job: Job) -> str:
    return f"{number_format(job.gone_through, force_grouping=True)} / {number_format(job.total, force_grouping=True)}"


@display(description=gettext_lazy("what"))
def what(job: Job) -> str:
    pages = _pages_of(job)
    return bulk.named(pages.model, job.action) if pages else job.action


@display(description=gettext_lazy("list"))
def of_list(job: Job) -> str:
    pages = _pages_of(job)
    return str(capfirst(pages.opts.verbose_name_plural)) if pages else job.model


@display(description=gettext_lazy("left alone"), ordering="skipped")
def left_alone(job: Job) -> int:
    return job.skipped


@admin.register(Job)
class JobAdmin(CountlessAdmin):
    """Whoever may not look at all jobs sees their own. A result file is its asker's, while they may see
    what is in it, and a superuser's: some lists are not the same for everybody."""

    list_display = [what, of_list, labelled("state", gettext_lazy("state"), STATES), progress, "done", left_alone]
    list_display += ["failed", linked("asked_by", gettext_lazy("asked by")), ago("created_at", gettext_lazy("when"))]
    list_filter = [MineFilter, ("state", ChoicesDropdownFilter)]
    list_select_related = ["asked_by"]
    ordering = ["-created_at", "-pk"]
    search_fields = ["asked_by__email", "model"]
    search_help_text = gettext_lazy("E-mail of who asked, or name of the list")
    change_form_outer_before_template = "admin/jobs/progress.html"
    readonly_fields = [what, of_list, "chosen"]
    fields = [what, of_list, "chosen", "asked_by", "address", "created_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return super().get_queryset(request).for_person(request.user).select_related("asked_by")

    def has_view_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return super().has_view_permission(request, obj) or (obj is not None and obj.asked_by_id == request.user.pk)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("ask/<str:model>/<slug:action>/", wrap(self.ask_view), name="desk_job_ask"),
            path("<uuid:pk>/progress/", wrap(self.progress_view), name="desk_job_progress"),
            path("<uuid:pk>/cancel/", wrap(require_POST(self.cancel_view)), name="desk_job_cancel"),
            path("<uuid:pk>/result/", wrap(self.result_view), name="desk_job_result"),
            *super().get_urls(),
        ]

    def change_view(self, request: Any, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return super().change_view(request, object_id, form_url, _going(self.get_object(request, object_id), request))

    @display(description=gettext_lazy("which rows"))
    def chosen(self, job: Job) -> str:
        try:
            words = selecting.select(job.model, job.query, user=job.asked_by).words
        except (Problem, PermissionDenied):
            words = [("", job.query)]
        return format_html_join("", "<div>{}: {}</div>", words) or _("All")

    # ---- Before it begins

    def ask_view(self, request: SignedIn, model: str, action: str) -> HttpResponse:
        """What it will do, to how many rows, and the first of them; then it is begun."""
        query = request.META.get("QUERY_STRING", "")
        try:
            back = _list_of(selecting.listed(model), query)
        except Problem:
            raise Http404 from None
        about = f"{request.user.pk} {action} {model}?{query}"
        asked = starting.Ticket.read(request.POST.get("ticket", ""), about=about)
        if asked and (made := Job.objects.filter(pk=asked.job).first()):  # the button was pressed twice
            return redirect(address_of(made))
        ticket = asked or starting.Ticket.of(model)
        try:
            selection, deed, number = _asked_for(request, model, query, action, ticket)
        except Problem as problem:
            self.message_user(request, problem.detail or problem.title, level="ERROR")
            return redirect(back)
        signed = request.POST["ticket"] if asked else ticket.signed(about=about)
        form = _form(request, deed, selection, number, ticket=signed)

        def do(given: dict[str, Any]) -> HttpResponse:
            values = {name: value for name, value in given.items() if name not in SureForm.base_fields}
            who: dict[str, Any] = {"user": request.user, "address": actor_of(request).address, "ticket": ticket}
            return redirect(address_of(starting.start(model, query, action=action, values=values, total=number, **who)))

        button, opts = bulk.named(selection.rows.model, action), selection.pages.opts
        name = opts.verbose_name if number == 1 else opts.verbose_name_plural
        title = f"{button}: {number_format(number, force_grouping=True)} {name}"
        points = [deed.point if deed else _("A file for a spreadsheet, with the columns of the list."), *_points(deed)]
        look: dict[str, Any] = {"button": button, "is_grave": bool(deed and deed.is_grave)}
        look |= {"title": title, "points": points, "template": "admin/jobs/ask.html"}
        return ask(self, request, do=do, back=back, form=form, **look)

    # ---- How it is going

    def progress_view(self, request: SignedIn, pk: Any) -> HttpResponse:
        """The piece of the page that changes; 204 as long as it is as it was."""
        job = self._job(request, pk)
        if request.GET.get("seen") == job.mark:
            return HttpResponse(status=204)
        return render(request, "admin/jobs/progress.html", _going(job, request))

    def cancel_view(self, request: SignedIn, pk: Any) -> HttpResponse:
        job = self._job(request, pk)
        if job.asked_by_id != request.user.pk and not request.user.has_perm("desk.change_job"):
            raise PermissionDenied
        starting.cancel(job, actor=actor_of(request))
        return redirect(address_of(job))

    def result_view(self, request: SignedIn, pk: Any) -> HttpResponseBase:
        job = self._job(request, pk)
        pages = _pages_of(job)
        if pages is None or not job.is_over or not job.parts.exists():
            raise Http404
        if not _may_read(job, request):
            raise PermissionDenied(job.model)
        name = slugify(f"{of_list(job)} {what(job)} {job.created_at:%Y-%m-%d %H%M}")
        disposition = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
        return StreamingHttpResponse(
            exporting.download(job), content_type="text/csv; charset=utf-8", headers=disposition
        )

    def _job(self, request: HttpRequest, pk: Any) -> Job:
        job: Job = row_of(self, request, str(pk))
        return job


def _may_read(job: Job, request: HttpRequest) -> bool:
    """Whether they get what came of it: who asked for it, and superusers, as long as they may see that list."""
    pages = _pages_of(job)
    is_theirs = job.asked_by_id == request.user.pk or request.user.is_superuser
    return bool(is_theirs and pages and pages.has_view_permission(request))


def _going(job: Job | None, request: HttpRequest) -> dict[str, Any]:
    """What the changing piece of a job's page shows."""
    if job is None:
        return {}
    kind = label(job.get_state_display(), kind=STATES[Job.State(job.state)])
    pages = _pages_of(job)
    rows = _list_of(pages, job.query) if pages else ""
    has_result = _may_read(job, request) and job.parts.exists()
    return {"job": job, "state": kind, "has_result": has_result, "list_link": rows}


def _asked_for(
    request: SignedIn, model: str, query: str, action: str, ticket: starting.Ticket
) -> tuple[Selection, Deed | None, int]:
    """The rows, what to do to them, and how many there were by the ticket.

    Raises Problem for what cannot be done, and when there is nothing to do it to."""
    if len(query) > LONGEST_FILTER:
        raise Problem("validation_error", _("The filter is too long."))
    selection = selecting.select(model, query, user=request.user)
    deed = None if action == EXPORT else bulk.deed_of(selection.rows.model, action, user=request.user)
    selection = selection.until(ticket.upto, asked_at=ticket.at)
    number = selecting.count(selection)
    if not number:
        raise Problem("validation_error", _("The list is empty: there is nothing to do."))
    return selection, deed, number


def _form(request: SignedIn, deed: Deed | None, selection: Selection, number: int, *, ticket: str) -> Any:
    """What the deed has to know, whether they are sure, and the first few rows."""
    fields = (SureForm, deed.form) if deed else (SureForm,)
    form: Any = type("JobForm", fields, {})(request.POST if request.method == "POST" else None)
    form.ask_for(number, ticket=ticket)
    form.sample = [str(row) for row in selection.after("", most=SAMPLE)]
    form.words, form.more = selection.words, number - len(form.sample)
    return form


def _points(deed: Deed | None) -> Iterator[str]:
    if deed:
        yield _("Each row is looked at again when its turn comes. What does not suit any more is left alone.")
    yield _("It is done in the background. What comes into the list from now on is left out.")


def _list_of(pages: Any, query: str) -> str:
    address = reverse(f"admin:{pages.opts.app_label}_{pages.opts.model_name}_changelist")
    return f"{address}?{query}" if query else address
