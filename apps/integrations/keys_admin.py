"""API keys as the 3PL's own people see them: whose, for what, who still uses them. None of them is ever shown again."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, DropdownFilter
from unfold.datasets import BaseDataset
from unfold.decorators import action, display

from apps.accounts.admin import BY_ORGANIZATION
from apps.accounts.asking import ask
from apps.accounts.deciding import SignedIn, actor_of
from apps.accounts.proving import shows_secret
from apps.operations import ReadOnlyAdmin, address_of, ago, label, linked

from . import keying
from .custom_forms import PersonsKeyForm, RotateForm
from .deeds import done, row_of, rows_of, show_keys
from .models import ApiKey, Integration

LOOKS = {"live": "success", "ending": "warning", "ended": "default"}
MOST_NAMED = 3  # grants in a list
STATES = {"live": gettext_lazy("In use"), "ending": gettext_lazy("Ending"), "ended": gettext_lazy("Ended")}


@display(description=gettext_lazy("state"))
def state(key: ApiKey) -> str:
    return label(STATES[key.state], kind=LOOKS[key.state])


@display(description=gettext_lazy("calls since it was replaced"), empty_value="–")
def calls_since_rotation(key: ApiKey) -> int | None:
    """0 says that everybody has changed over."""
    return key.calls_since_rotation


@display(description=gettext_lazy("may"))
def may(key: ApiKey) -> str:
    if key.connector_id:
        return _("Change its definition")
    return _("All its integration may") if key.all_grants else ", ".join(key.may) or _("Nothing")


@display(description=gettext_lazy("may"))
def may_in_short(key: ApiKey) -> str:
    """For a list: the first few."""
    more = 0 if key.all_grants else len(key.may) - MOST_NAMED
    if more <= 0:
        return may(key)
    return _("%(some)s and %(n)d more") % {"some": ", ".join(key.may[:MOST_NAMED]), "n": more}


class StateFilter(DropdownFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(STATES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        is_live = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=Now()))
        asked = {"live": is_live & Q(rotated_at=None), "ending": is_live & ~Q(rotated_at=None), "ended": ~is_live}
        return queryset.filter(asked[self.value()]) if self.value() in asked else queryset


class KeysAdmin(ReadOnlyAdmin):
    """What every list of keys has in common."""

    list_display = ["__str__", "kind", state, may_in_short, ago("last_used_at", gettext_lazy("last used"))]
    list_display += [calls_since_rotation, ago("created_at", gettext_lazy("made"))]
    list_select_related = ["integration", "connector", "user", "organization"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        return super().get_queryset(request).with_use()


@admin.register(ApiKey)
class ApiKeyAdmin(KeysAdmin):
    list_display = [*KeysAdmin.list_display, "belongs_to", linked("organization", gettext_lazy("organization"))]
    list_filter = [StateFilter, ("kind", ChoicesDropdownFilter), ("integration", AutocompleteSelectFilter)]
    list_filter += [BY_ORGANIZATION]
    search_help_text = gettext_lazy("Name, how it begins, whose it is, or organization")
    search_fields = ["name", "prefix", "=id", "organization__name", "integration__name", "connector__name"]
    search_fields += ["user__email"]
    readonly_fields = [state, may, "last_used", "calls", calls_since_rotation]
    fieldsets = [
        (None, {"fields": ["name", "prefix", "kind", state, may, "organization", "integration", "connector", "user"]}),
        (gettext_lazy("Use"), {"fields": ["last_used", "calls", calls_since_rotation]}),
        (
            gettext_lazy("When"),
            {"fields": ["created_by", "created_at", "rotated_at", "replaced_by", "expires_at", "revoked_at", "id"]},
        ),
    ]
    actions_detail = ["rotate", "terminate"]

    @display(description=gettext_lazy("belongs to"), empty_value="–")
    def belongs_to(self, key: ApiKey) -> Any:
        return key.integration or key.connector or key.user

    @display(description=gettext_lazy("last used"), empty_value="–")
    def last_used(self, key: Any) -> Any:
        return key.last_used_at

    @display(description=gettext_lazy("calls"))
    def calls(self, key: Any) -> int:
        return key.calls

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A key made here is a person's: for those who look after people."""
        return request.user.has_perms(["integrations.add_apikey", "accounts.change_user"])

    def has_rotate_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        keys = rows_of(ApiKey, object_id).live().filter(rotated_at=None).exclude(kind=ApiKey.Kind.USER)
        return _may_change(request) and keys.exists()

    def has_terminate_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        keys = rows_of(ApiKey, object_id).live()
        if not request.user.has_perm("accounts.change_user"):
            keys = keys.exclude(kind=ApiKey.Kind.USER)
        return _may_change(request) and keys.exists()

    @shows_secret
    def add_view(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """A key for a person; an integration's are made on its page."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = PersonsKeyForm(request.POST if request.method == "POST" else None)

        def do(given: dict[str, Any]) -> HttpResponse:
            made = keying.issue(
                form.person, name=given["name"], grants=given["grants"], by=request.user, actor=actor_of(request)
            )
            return show_keys(self, request, made, title=_("The new key"), back=address_of(made.key))

        points = [
            _("A personal key sees all of its organization, and what it does is entered under its person's name."),
            _("For another company's system make a custom integration instead: its keys see only what is theirs."),
        ]
        back = reverse("admin:integrations_apikey_changelist")
        title, button = _("Make a key for a person"), _("Make the key")
        return ask(self, request, title=title, points=points, button=button, do=do, back=back, form=form)

    @action(description=gettext_lazy("Rotate"), permissions=["rotate"], icon="autorenew")
    @shows_secret
    def rotate(self, request: SignedIn, object_id: str) -> HttpResponse:
        key = row_of(self, request, object_id)
        form = RotateForm(request.POST if request.method == "POST" else None)

        def do(given: dict[str, Any]) -> HttpResponse:
            made = keying.rotate(key, overlap=given["overlap"], by=request.user, actor=actor_of(request))
            return show_keys(self, request, made, title=_("The new key"), back=address_of(made.key))

        points = [
            _("There will be a new key that may do the same."),
            _("Meanwhile you see on this key's page whether anybody still calls with the old one."),
        ]
        title, back = _("Rotate %(key)s?") % {"key": key}, address_of(key)
        return ask(self, request, title=title, points=points, button=_("Rotate"), do=do, back=back, form=form)

    @action(description=gettext_lazy("Terminate"), permissions=["terminate"], icon="block")
    def terminate(self, request: SignedIn, object_id: str) -> HttpResponse:
        key = row_of(self, request, object_id)

        def do(given: dict[str, Any]) -> HttpResponse:
            keying.terminate(key, actor=actor_of(request))
            return done(request, key, _("The key has ended."))

        points = [_("Whatever still calls with it is refused from now on. This cannot be undone.")]
        title, back = _("Terminate %(key)s?") % {"key": key}, address_of(key)
        button = _("Terminate")
        return ask(self, request, title=title, points=points, button=button, do=do, back=back, is_grave=True)


def _may_change(request: HttpRequest) -> bool:
    return request.user.has_perm("integrations.change_apikey")


class KeysOfIntegrationAdmin(KeysAdmin):
    """The list inside an integration's page. `extra_context["object"]` is that integration's id."""

    list_per_page = 20

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        integration = Integration.objects.select_related("partner").get(pk=self.extra_context["object"])
        rows: Any = super().get_queryset(request)
        related = rows.select_related(*self.list_select_related)  # which unfold does not do within another page
        return related.of_integration(integration).order_by("-created_at", "pk")


class KeysOfIntegration(BaseDataset):
    model = ApiKey
    model_admin = KeysOfIntegrationAdmin
    tab = True
