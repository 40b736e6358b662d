"""What each side calls a good: the versions of the mappings, and the pairs that hold."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import action, display

from apps.accounts.admin import BY_ORGANIZATION
from apps.accounts.deciding import SignedIn, actor_of
from apps.integrations.deeds import ask, done, row_of
from apps.operations import CountlessAdmin, address_of, ago, linked

from . import previewing, remapping
from .models import SkuMapping, SkuPair
from .pairs import Pair

PAIRS_SHOWN = 500
LABELS = {
    "moved": gettext_lazy("Listings that move to another product"),
    "linked": gettext_lazy("Listings that become known"),
    "unlinked": gettext_lazy("Listings that would be unknown"),
    "created": gettext_lazy("New products"),
    "archived": gettext_lazy("Products that are not listed any more"),
    "released": gettext_lazy("Counts that waited and are used"),
    "published": gettext_lazy("Listings that are told another quantity"),
}
NAMED = [linked("integration", gettext_lazy("integration")), linked("organization", gettext_lazy("organization"))]


@admin.register(SkuMapping)
class SkuMappingAdmin(CountlessAdmin):
    """The one with the highest number of its integration holds."""

    list_display = ["number", *NAMED, "origin", "actor", "note", ago("created_at", gettext_lazy("saved"))]
    list_filter = [BY_ORGANIZATION, ("integration", AutocompleteSelectFilter), ("origin", ChoicesDropdownFilter)]
    list_select_related = ["organization", "integration"]
    search_fields = ["integration__name", "=integration__id", "organization__name", "actor", "note"]
    ordering = ["-created_at"]
    fields = ["integration", "organization", "number", "origin", "note", "actor", "created_at", "shown_pairs"]
    readonly_fields = ["shown_pairs"]
    actions_detail = ["roll_back"]

    def has_roll_back_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("catalog.change_skumapping")

    @action(description=gettext_lazy("Go back to it"), permissions=["roll_back"], icon="history")
    def roll_back(self, request: SignedIn, object_id: str) -> HttpResponse:
        version = row_of(self, request, object_id)
        newest = remapping.newest(version.integration)
        assert newest
        found = previewing.preview(version.integration, [Pair(*pair) for pair in version.pairs])

        def do(given: dict[str, Any]) -> HttpResponse:
            actor = actor_of(request)
            made = remapping.roll_back(
                version.integration, version.number, actor=actor, by=request.user, based_on=newest.number
            )
            return done(request, made, _("Its pairs hold again, as version %(n)d.") % {"n": made.number})

        points = [_("Pairs added: %(n)d") % {"n": found.added}, _("Pairs removed: %(n)d") % {"n": found.removed}]
        points += [f"{LABELS[kind]}: {changes.count}" for kind, changes in found.changes.items() if changes.count]
        words: dict[str, Any] = {
            "title": _("Go back to version %(n)d?") % {"n": version.number},
            "button": _("Go back"),
        }
        return ask(self, request, points=points, do=do, back=address_of(version), **words)

    def get_queryset(self, request: HttpRequest) -> QuerySet[SkuMapping]:
        """A mapping may be long: the list does without its pairs."""
        return super().get_queryset(request).defer("pairs")

    @display(description=gettext_lazy("pairs"), empty_value="–")
    def shown_pairs(self, mapping: SkuMapping) -> Any:
        return format_html_join("", "<div>{} : {}</div>", (pair[:2] for pair in mapping.pairs[:PAIRS_SHOWN]))


@admin.register(SkuPair)
class SkuPairAdmin(CountlessAdmin):
    list_display = ["first", "second", *NAMED]
    list_filter = [BY_ORGANIZATION, ("integration", AutocompleteSelectFilter)]
    list_select_related = ["organization", "integration"]
    search_fields = ["first", "second", "integration__name", "=integration__id"]
    fields = ["first", "second", "integration", "organization"]
