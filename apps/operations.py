"""The 3PL's own site: who may enter it, how they find things in it, and what its pages have in common."""

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from operator import attrgetter
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.decorators import secure_admin_login
from allauth.account.utils import get_next_redirect_url
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.apps import apps
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.contrib.auth.decorators import login_required
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import InvalidPage
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.formats import localize
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csp import csp_override
from unfold.admin import ModelAdmin, TabularInline
from unfold.dataclasses import SearchResult
from unfold.decorators import display
from unfold.paginator import InfinitePaginator
from unfold.sites import UnfoldAdminSite

MOST_FOUND = 8  # of each kind, in the box that searches everything

NAVIGATION = [
    (
        gettext_lazy("Customers"),
        {
            "accounts.organization": "domain",
            "accounts.brand": "sell",
            "accounts.store": "storefront",
            "shops.connection": "link",
            "shops.shop": "shopping_bag",
        },
    ),
    (
        gettext_lazy("Orders"),
        {
            "orders.order": "receipt",
            "orders.fulfillment": "package_2",
            "orders.parcel": "local_shipping",
            "syncs.orderfeed": "cell_tower",
            "orders.routingrule": "alt_route",
            "orders.shippingmethod": "rule",
            "orders.shippingservice": "delivery_truck_speed",
        },
    ),
    (gettext_lazy("Work"), {"syncs.syncrun": "sync", "syncs.syncfailure": "report", "syncs.drift": "balance"}),
    (
        gettext_lazy("Catalogue"),
        {
            "catalog.product": "inventory_2",
            "catalog.listing": "list_alt",
            "catalog.skumapping": "compare_arrows",
            "catalog.skupair": "join_inner",
            "catalog.waitingsku": "unknown_document",
        },
    ),
    (
        gettext_lazy("Stock"),
        {
            "catalog.stocklevel": "inventory",
            "catalog.stockmovement": "receipt_long",
            "catalog.location": "shelves",
            "catalog.publication": "campaign",
            "catalog.stockfeed": "cell_tower",
            "catalog.heldreport": "hourglass_empty",
            "catalog.handover": "forklift",
        },
    ),
    (
        gettext_lazy("Messages"),
        {"webhooks.receipt": "move_to_inbox", "webhooks.event": "history", "webhooks.inbox": "inbox"},
    ),
    (
        gettext_lazy("Platforms"),
        {
            "integrations.integration": "power",
            "integrations.authorization": "verified_user",
            "integrations.authorizationattempt": "login",
            "integrations.credential": "key",
            "integrations.applicationtoken": "badge",
        },
    ),
    (
        gettext_lazy("Partners"),
        {
            "integrations.partnerconnector": "extension",
            "integrations.authorization": "handshake",
            "integrations.apikey": "vpn_key",
            "audit.entry": "policy",
        },
    ),
    (
        gettext_lazy("People"),
        {
            "accounts.user": "person",
            "accounts.membership": "group",
            "accounts.invitation": "mail",
            "account.emailaddress": "alternate_email",
            "mfa.authenticator": "phonelink_lock",
            "auth.group": "shield_person",
        },
    ),
]
SEARCHED = ("accounts.store", "accounts.organization", "shops.connection", "accounts.user", "catalog.product")


def used_second_factor(request: HttpRequest) -> bool:
    """Whether whoever makes this request gave a code of their phone, or a recovery code, in this session."""
    return any(record["method"] == "mfa" for record in get_authentication_records(request, request.user))


class OperationsSite(UnfoldAdminSite):
    """The admin. Outside the demo nobody gets in without a second factor."""

    index_title = gettext_lazy("What needs somebody now")

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and (settings.DEMO or used_second_factor(request))

    @method_decorator(secure_admin_login)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send people to where they get what they lack. The password page is allauth's, with its rate limits."""
        onward = get_next_redirect_url(request) or reverse("admin:index")
        if self.has_permission(request):
            return redirect(onward)
        if is_mfa_enabled(request.user, [Authenticator.Type.TOTP]):
            return redirect(f"{reverse('mfa_reauthenticate')}?{urlencode({'next': onward})}")
        messages.warning(request, _("To work here you need a code from your phone, besides your password."))
        return redirect("mfa_activate_totp")

    def admin_view(self, view: Callable[..., HttpResponse], cacheable: bool = False) -> Callable[..., HttpResponse]:
        return csp_override(settings.ADMIN_CSP)(super().admin_view(view, cacheable))

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        try:
            return super().search(request, extra_context)
        except (InvalidPage, ValueError):
            raise Http404 from None


def for_staff(permission: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """A page of the 3PL's own people outside the admin: whoever may not enter that, or lacks this permission, gets 403.

    Who has not given their second factor yet is sent to do so, as the admin sends them.
    """

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        @login_required
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not (request.user.is_staff and request.user.has_perm(permission)):
                raise PermissionDenied(permission)
            if not admin.site.has_permission(request):
                return redirect(f"{reverse('admin:login')}?{urlencode({'next': request.get_full_path()})}")
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar: what this person may look at."""
    home: dict[str, Any] = {"title": _("What needs somebody"), "icon": "notifications", "link": reverse("admin:index")}
    groups: list[dict[str, Any]] = [{"items": [home]}]
    if request.user.has_perm("catalog.change_stocklevel"):
        groups[0]["items"].append({"title": _("Port"), "icon": "barcode_scanner", "link": reverse("port")})
    for title, models in NAVIGATION:
        items = [_item(model, icon=icon) for model, icon in _visible(request, models)]
        groups.append({"title": title, "separator": True, "items": items})
    return [group for group in groups if group["items"]]


def _visible(request: HttpRequest, models: dict[str, str]) -> Iterator[tuple[type[Model], str]]:
    for label, icon in models.items():
        model = apps.get_model(label)
        if admin.site.get_model_admin(model).has_view_permission(request):
            yield model, icon


def _item(model: type[Model], *, icon: str) -> dict[str, Any]:
    link = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return {"title": str(model._meta.verbose_name_plural).capitalize(), "icon": icon, "link": link}


def find(request: HttpRequest, text: str) -> list[SearchResult]:
    """What the box that searches everything finds: the first few of each kind."""
    found = []
    for label in SEARCHED:
        pages = admin.site.get_model_admin(apps.get_model(label))
        if pages.has_view_permission(request):
            rows, may_repeat = pages.get_search_results(request, pages.get_queryset(request), text)
            rows = rows.distinct() if may_repeat else rows
            kind = str(pages.opts.verbose_name).capitalize()
            found += [SearchResult(str(row), kind, address_of(row), "data_object") for row in rows[:MOST_FOUND]]
    return found


def address_of(row: Model) -> str:
    """The page of a row."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def linked(path: str, description: Any) -> Callable[[Any], Any]:
    """A column that links to the row at the end of this path of names."""

    @display(description=description, ordering=path.replace(".", "__"), empty_value="–")
    def column(row: Any) -> Any:
        found = attrgetter(path)(row)
        return found and format_html('<a class="text-link" href="{}">{}</a>', address_of(found), found)

    return column


def label(text: Any, *, kind: str) -> str:
    """A word on a coloured ground. `kind` is info, success, warning, danger or default."""
    return render_to_string("unfold/helpers/label.html", {"text": text, "type": kind})


def labelled(name: str, description: Any, kinds: dict[Any, str]) -> Callable[[Any], Any]:
    """A column with one of a field's choices as a label."""

    @display(description=description, ordering=name)
    def column(row: Any) -> Any:
        return label(getattr(row, f"get_{name}_display")(), kind=kinds[getattr(row, name)])

    return column


def ago(name: str, description: Any) -> Callable[[Any], Any]:
    """A column with the distance to a time, and the time itself when pointed at."""

    @display(description=description, ordering=name, empty_value="–")
    def column(row: Any) -> Any:
        time = getattr(row, name)
        return time and format_html('<span title="{}">{}</span>', localize(localtime(time)), naturaltime(time))

    return column


class Autocomplete(AutocompleteSelect):
    """Django's looks up whatever id was sent, and breaks on one that is none; here nothing is chosen then."""

    def optgroups(self, name: str, value: Sequence[str], attr: dict[str, Any] | None = None) -> Any:
        try:
            return super().optgroups(name, value, attr)
        except ValidationError:
            return super().optgroups(name, [], attr)


class Choosing:
    """Forms whose `autocomplete_fields` take any input."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.autocomplete_fields:  # type: ignore[attr-defined]
            kwargs["widget"] = Autocomplete(db_field, admin.site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]


class ReadOnly:
    """Pages whose rows are made and changed by the work itself: editing one would break what it promises."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, ModelAdmin):
    list_filter_submit = True
    show_full_result_count = False
    list_per_page = 50


class CountlessAdmin(ReadOnlyAdmin):
    """Lists of millions of rows, which nobody counts."""

    paginator = InfinitePaginator
    ordering = ["-pk"]


class ReadOnlyInline(ReadOnly, TabularInline):
    """A tab of related rows, page by page, each with a link to its own page."""

    extra = 0
    per_page = 20
    tab = True
    show_change_link = True
