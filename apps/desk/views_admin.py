"""Saved views: keeping what a list shows now, opening it again, and what its owner can do with it."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from apps.accounts.asking import ask
from apps.accounts.deciding import SignedIn, actor_of
from apps.api.errors import Problem
from apps.integrations.deeds import row_of
from apps.operations import ReadOnlyAdmin, ago

from . import viewing
from .filters import kept
from .models import View


class ViewForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=60, widget=UnfoldAdminTextInputWidget)
    is_shared = forms.BooleanField(
        label=gettext_lazy("Colleagues see it above this list, too"), required=False, widget=UnfoldBooleanSwitchWidget
    )


def list_of(pages: Any, query: str) -> str:
    """The address of a list."""
    address = reverse(f"admin:{pages.opts.app_label}_{pages.opts.model_name}_changelist")
    return f"{address}?{query}" if query else address


@admin.register(View)
class ViewAdmin(ReadOnlyAdmin):
    """One's own, and those that colleagues share, of lists that one may look at. A superuser sees all."""

    list_display = ["name", "of_list", "user", "is_shared", ago("created_at", gettext_lazy("made"))]
    list_filter = ["is_shared"]
    list_select_related = ["user"]
    search_fields = ["name", "user__email"]
    fields = ["name", "of_list", "user", "is_shared", "created_at", "link"]
    readonly_fields = ["of_list", "link", "created_at"]
    actions_detail = ["change_this", "delete_this"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[View]:
        rows = super().get_queryset(request)
        mine = rows if request.user.is_superuser else rows.for_person(request.user)
        return mine.filter(model__in=viewing.visible(request))

    def has_view_permission(self, request: HttpRequest, obj: View | None = None) -> bool:
        return super().has_view_permission(request, obj) or (obj is not None and obj.user_id == request.user.pk)

    def has_own_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Its owner's, and a superuser's."""
        known = str(object_id).isascii() and str(object_id).isdigit() and len(str(object_id)) < 19
        view = View.objects.filter(pk=object_id).first() if known else None
        return view is not None and (request.user.is_superuser or view.user_id == request.user.pk)

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("save/", self.admin_site.admin_view(self.save), name="desk_view_save"),
            path("<int:pk>/open/", self.admin_site.admin_view(self.open), name="desk_view_open"),
        ]
        return own + super().get_urls()

    @display(description=gettext_lazy("list"), ordering="model")
    def of_list(self, view: View) -> str:
        named = [model for model in admin.site._registry if model._meta.label_lower == view.model]
        return str(capfirst(named[0]._meta.verbose_name_plural)) if named else view.model

    @display(description=gettext_lazy("what it shows"))
    def link(self, view: View) -> str:
        address = reverse("admin:desk_view_open", args=[view.pk])
        return format_html('<a class="text-link" href="{}">{}</a>', address, _("Open the list"))

    def save(self, request: SignedIn) -> HttpResponse:
        """Keep a list as its address has it."""
        pages = _pages_or_404(request.GET.get("model", ""), request)
        query, _unknown = kept(pages, request, request.GET.get("query", ""))
        form = ViewForm(request.POST if request.method == "POST" else None)

        def do(given: dict[str, Any]) -> HttpResponse:
            label = pages.opts.label_lower
            view = viewing.save(request.user, model=label, query=query, actor=actor_of(request), **given)
            messages.success(request, _("Saved: %(view)s.") % {"view": view})
            return redirect(list_of(pages, query))

        points = [_("The filters, the search and the order are kept, not the rows: you see what fits then.")]
        title = _("Save this view of %(list)s") % {"list": pages.opts.verbose_name_plural}
        back = list_of(pages, query)
        return ask(self, request, title=title, points=points, button=_("Save"), do=do, back=back, form=form)

    def open(self, request: SignedIn, pk: int) -> HttpResponse:
        """The list as it was kept. A filter that the list no longer has is left out, and it says so."""
        view = get_object_or_404(self.get_queryset(request), pk=pk)
        pages = _pages_or_404(view.model, request)
        query, unknown = kept(pages, request, view.query)
        if unknown:
            text = _("“%(view)s” has a filter that this list no longer has: %(names)s. The list is shown without it.")
            messages.warning(request, text % {"view": view, "names": ", ".join(unknown)})
        return redirect(list_of(pages, query))

    @action(description=gettext_lazy("Rename or share"), permissions=["own"], icon="edit", url_path="change-view")
    def change_this(self, request: SignedIn, object_id: str) -> HttpResponse:
        view = row_of(self, request, object_id)
        now = {"name": view.name, "is_shared": view.is_shared}
        form = ViewForm(request.POST if request.method == "POST" else None, initial=now)

        def do(given: dict[str, Any]) -> HttpResponse:
            viewing.change(view, actor=actor_of(request), **given)
            return self._back(request, view, _("Saved: %(view)s.") % {"view": view})

        title, back = _("Rename or share %(view)s") % {"view": view}, self._list(request, view)
        return ask(self, request, title=title, points=[], button=_("Save"), do=do, back=back, form=form)

    @action(description=gettext_lazy("Delete"), permissions=["own"], icon="delete", url_path="delete-view")
    def delete_this(self, request: SignedIn, object_id: str) -> HttpResponse:
        view = row_of(self, request, object_id)

        def do(given: dict[str, Any]) -> HttpResponse:
            back = self._list(request, view)
            viewing.delete(view, actor=actor_of(request))
            messages.success(request, _("Deleted: %(view)s.") % {"view": view})
            return redirect(back)

        points = [_("Colleagues will not see it any more, either.")] if view.is_shared else []
        title, back, button = _("Delete %(view)s?") % {"view": view}, self._list(request, view), _("Delete")
        return ask(self, request, title=title, points=points, button=button, do=do, back=back, is_grave=True)

    def _list(self, request: SignedIn, view: View) -> str:
        pages = _pages_or_404(view.model, request)
        return list_of(pages, kept(pages, request, view.query)[0])

    def _back(self, request: SignedIn, view: View, text: str) -> HttpResponse:
        messages.success(request, text)
        return redirect(self._list(request, view))


def _pages_or_404(label: str, request: HttpRequest) -> Any:
    try:
        return viewing.pages_of(label, request)
    except Problem:
        raise Http404 from None
