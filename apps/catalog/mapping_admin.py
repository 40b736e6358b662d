"""What each side calls a good: the versions of the mappings, and the pairs that hold."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.datasets import BaseDataset
from unfold.decorators import action, display
from unfold.paginator import InfinitePaginator

from apps.accounts.admin import BY_ORGANIZATION
from apps.accounts.asking import ask
from apps.accounts.deciding import SignedIn, actor_of
from apps.integrations.deeds import done, row_of
from apps.integrations.differing import Line, table
from apps.integrations.models import Integration
from apps.integrations.revisions_admin import BaseForm
from apps.operations import CountlessAdmin, ReadOnlyAdmin, address_of, ago, linked

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


def ask_back(
    pages: Any, request: SignedIn, integration: Integration, number: int | None = None, *, back: str
) -> HttpResponse:
    """Say what going back to a version of its mapping would do; None is the one before that which holds. Then do it.

    What was said is done, or nothing: the form brings along which version held. Raises Http404 without a mapping.
    """
    newest = remapping.newest(integration)
    if newest is None:
        raise Http404
    form = BaseForm(request.POST if request.method == "POST" else None, initial={"based_on": newest.number})
    number = newest.number - 1 if number is None else number
    wanted = remapping.versions(integration).filter(number=number).first()
    found = previewing.preview(integration, [Pair(*pair) for pair in wanted.pairs] if wanted else [])

    def do(given: dict[str, Any]) -> HttpResponse:
        who: dict[str, Any] = {"actor": actor_of(request), "by": request.user}
        made = remapping.roll_back(integration, number, **given, **who)
        return done(request, made, _("Its pairs hold again, as version %(n)d.") % {"n": made.number})

    points = [_("Pairs added: %(n)d") % {"n": found.added}, _("Pairs removed: %(n)d") % {"n": found.removed}]
    points += [f"{LABELS[kind]}: {changes.count}" for kind, changes in found.changes.items() if changes.count]
    words: dict[str, Any] = {"title": _("Go back to version %(n)d?") % {"n": number}, "button": _("Go back")}
    return ask(pages, request, points=points, do=do, back=back, form=form, **words)


@admin.register(SkuMapping)
class SkuMappingAdmin(CountlessAdmin):
    """The one with the highest number of its integration holds."""

    list_display = ["number", *NAMED, "origin", "actor", "note", ago("created_at", gettext_lazy("saved"))]
    list_filter = [BY_ORGANIZATION, ("integration", AutocompleteSelectFilter), ("origin", ChoicesDropdownFilter)]
    list_select_related = ["organization", "integration"]
    search_fields = ["integration__name", "=integration__id", "organization__name", "actor", "note"]
    ordering = ["-created_at"]
    fields = ["integration", "organization", "number", "origin", "note", "actor", "created_at"]
    fields += ["shown_changes", "shown_pairs"]
    readonly_fields = ["shown_changes", "shown_pairs"]
    actions_detail = ["roll_back"]

    def has_roll_back_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("catalog.change_skumapping")

    @action(description=gettext_lazy("Go back to it"), permissions=["roll_back"], icon="history")
    def roll_back(self, request: SignedIn, object_id: str) -> HttpResponse:
        version = row_of(self, request, object_id)
        return ask_back(self, request, version.integration, version.number, back=address_of(version))

    def get_queryset(self, request: HttpRequest) -> QuerySet[SkuMapping]:
        """A mapping may be long: the list does without its pairs."""
        return super().get_queryset(request).defer("pairs")

    @display(description=gettext_lazy("what changed"), empty_value="–")
    def shown_changes(self, mapping: SkuMapping) -> Any:
        """Against the version before it."""
        former = remapping.versions(mapping.integration).filter(number=mapping.number - 1).first()
        before, after = (dict(pair[:2] for pair in version.pairs) if version else {} for version in (former, mapping))
        changed = sorted(sku for sku in before.keys() | after.keys() if before.get(sku) != after.get(sku))
        return changed and table(Line(sku, before.get(sku, "–"), after.get(sku, "–")) for sku in changed[:PAIRS_SHOWN])

    @display(description=gettext_lazy("pairs"), empty_value="–")
    def shown_pairs(self, mapping: SkuMapping) -> Any:
        return format_html_join("", "<div>{} : {}</div>", (pair[:2] for pair in mapping.pairs[:PAIRS_SHOWN]))


class VersionsOfPairAdmin(ReadOnlyAdmin):
    """The versions of the whole mapping that a pair is of. `extra_context["object"]` is the pair's id."""

    list_display = ["number", "origin", "actor", "note", ago("created_at", gettext_lazy("saved"))]
    list_per_page = 20
    paginator = InfinitePaginator

    def get_queryset(self, request: HttpRequest) -> QuerySet[SkuMapping]:
        pair = SkuPair.objects.filter(pk=self.extra_context["object"]).select_related("integration").first()
        return remapping.versions(pair.integration).defer("pairs") if pair else SkuMapping.objects.none()


class VersionsOfPair(BaseDataset):
    model = SkuMapping
    model_admin = VersionsOfPairAdmin
    tab = True


@admin.register(SkuPair)
class SkuPairAdmin(CountlessAdmin):
    list_display = ["first", "second", *NAMED]
    list_filter = [BY_ORGANIZATION, ("integration", AutocompleteSelectFilter)]
    list_select_related = ["organization", "integration"]
    search_fields = ["first", "second", "integration__name", "=integration__id"]
    fields = ["first", "second", "integration", "organization"]
    change_form_datasets = [VersionsOfPair]
    actions_detail = ["change_back"]

    def has_change_back_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("catalog.change_skumapping")

    @action(description=gettext_lazy("Change back"), permissions=["change_back"], icon="history")
    def change_back(self, request: SignedIn, object_id: str) -> HttpResponse:
        """Go back on the last change of the mapping that the pair is of."""
        pair = row_of(self, request, object_id)
        return ask_back(self, request, pair.integration, back=address_of(pair))
