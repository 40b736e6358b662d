"""SKUs that are nobody's, for people of the 3PL: what may be meant, and saying so, by what their owners use as well."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.accounts.admin import BY_ORGANIZATION
from apps.accounts.asking import ask
from apps.accounts.deciding import SignedIn, actor_of
from apps.accounts.trailed import Trailed
from apps.api.errors import invalid
from apps.integrations.deeds import row_of
from apps.operations import CountlessAdmin, ago, linked

from . import worklist
from .matching import suggest
from .models import IgnoredSku, Product, WaitingSku

NAMED = [linked("integration", gettext_lazy("integration")), linked("organization", gettext_lazy("organization"))]


class MeantForm(forms.Form):
    ours = forms.CharField(
        label=gettext_lazy("SKU of the product"), max_length=255, widget=UnfoldAdminTextInputWidget, strip=False
    )


@admin.register(WaitingSku)
class WaitingSkuAdmin(CountlessAdmin):
    """The most frequent first. Each answer asks first, and sets free whatever waited for it."""

    list_display = ["sku", "name", *NAMED, "listings", "reports", "orders", ago("seen_at", gettext_lazy("last seen"))]
    list_display += ["is_ignored"]
    list_filter = ["is_ignored", ("integration", AutocompleteSelectFilter), BY_ORGANIZATION]
    list_select_related = ["organization", "integration__partner", "listing"]
    search_fields = ["=sku", "integration__name", "organization__name"]
    ordering = ["-times", "-seen_at", "sku"]
    fields = ["sku", "name", "integration", "organization", "listings", "reports", "orders", "times", "seen_at"]
    fields += ["is_ignored", "suggestions"]
    readonly_fields = ["name", "suggestions"]
    actions_detail = ["it_is", "make_new", "ignore"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[WaitingSku]:
        return super().get_queryset(request).select_related("organization", "integration__partner", "listing")

    def has_answer_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("catalog.change_skumapping")

    @display(description=gettext_lazy("suggestions"), empty_value="–")
    def suggestions(self, row: WaitingSku) -> Any:
        found = suggest(row.organization, [row])[row.pk]
        lines = ((one.sku, one.name, one.band.label, ", ".join(one.reasons)) for one in found)
        return format_html_join("", "<div>{}: {} ({}: {})</div>", lines)

    @action(description=gettext_lazy("It is…"), permissions=["answer"], icon="link")
    def it_is(self, request: SignedIn, object_id: str) -> HttpResponse:
        row = row_of(self, request, object_id)
        found = suggest(row.organization, [row])[row.pk]
        posted = request.POST if request.method == "POST" else None
        form = MeantForm(posted, initial={"ours": found[0].sku if found else ""})

        def do(given: dict[str, Any]) -> None:
            product = Product.objects.filter(organization=row.organization, sku=given["ours"]).first()
            if product is None:
                raise invalid("ours", _("There is no such product."))
            worklist.accept(row.integration, {row.sku: product.pk}, actor=actor_of(request), by=request.user)

        points = [_("What waits for it goes on at once. Going back to the version before takes the pair away again.")]
        title = _("Which product is %(sku)s?") % {"sku": row.sku}
        return self._ask(request, row, do, title=title, points=points, button=_("It is this"), form=form)

    @action(description=gettext_lazy("Make it a product"), permissions=["answer"], icon="add_box")
    def make_new(self, request: SignedIn, object_id: str) -> HttpResponse:
        row = row_of(self, request, object_id)

        def do(given: dict[str, Any]) -> None:
            worklist.make_new(row.integration, [row.sku], actor=actor_of(request))

        points = [_("It is described as the shop describes it.")]
        title = _("Make a product of %(sku)s?") % {"sku": row.sku}
        return self._ask(request, row, do, title=title, points=points, button=_("Make it"))

    @action(description=gettext_lazy("Put aside"), permissions=["answer"], icon="visibility_off")
    def ignore(self, request: SignedIn, object_id: str) -> HttpResponse:
        row = row_of(self, request, object_id)

        def do(given: dict[str, Any]) -> None:
            worklist.ignore(row.integration, [row.sku], actor=actor_of(request))

        points = [_("It stays unknown, and nobody is reminded of it.")]
        title = _("Put %(sku)s aside?") % {"sku": row.sku}
        return self._ask(request, row, do, title=title, points=points, button=_("Put it aside"))

    def _ask(self, request: SignedIn, row: WaitingSku, do: Any, **page: Any) -> HttpResponse:
        """Ask first; then do it, and go back to the list: the row may be gone."""
        back = reverse("admin:catalog_waitingsku_changelist")

        def do_and_go(given: dict[str, Any]) -> HttpResponse:
            do(given)
            self.message_user(request, _("Done: %(sku)s") % {"sku": row.sku})
            return redirect(back)

        return ask(self, request, do=do_and_go, back=back, **page)


@admin.register(IgnoredSku)
class IgnoredSkuAdmin(Trailed, CountlessAdmin):
    """Deleting one brings the SKU back to the list."""

    list_display = ["sku", *NAMED, "actor", ago("created_at", gettext_lazy("put aside"))]
    list_filter = [("integration", AutocompleteSelectFilter), BY_ORGANIZATION]
    list_select_related = ["organization", "integration__partner"]
    search_fields = ["=sku", "integration__name", "organization__name"]
    fields = ["sku", "integration", "organization", "actor", "created_at"]

    def has_delete_permission(self, request: HttpRequest, obj: IgnoredSku | None = None) -> bool:
        return request.user.has_perm("catalog.delete_ignoredsku")
