"""The 3PL's own site: who may enter it, how they find things in it, and what its pages have in common."""

import json
import re
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
from django.contrib.admin import ModelAdmin as DjangosModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import quote
from django.contrib.admin.widgets import AutocompleteSelect
from django.contrib.auth.decorators import login_required
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.formats import localize
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.module_loading import import_string
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csp import csp_override
from unfold import fields
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.forms import PaginationInlineFormSet
from unfold.paginator import InfinitePaginator
from unfold.sites import UnfoldAdminSite
from unfold.views import ChangeList

from .keyset import KeysetChangeList
from .listed import Listed, note_cut
from .returning import keep_filters

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
    (
        gettext_lazy("Work"),
        {
            "syncs.syncrun": "sync",
            "syncs.syncfailure": "report",
            "syncs.drift": "balance",
            "desk.job": "playlist_add_check",
            "desk.view": "bookmark",
            "desk.dismissal": "do_not_disturb_on",
        },
    ),
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
        {
            "webhooks.message": "swap_horiz",
            "webhooks.endpoint": "webhook",
            "webhooks.hook": "hearing",
            "webhooks.delivery": "outbox",
            "webhooks.receipt": "move_to_inbox",
            "webhooks.notice": "notification_important",
            "webhooks.event": "history",
            "webhooks.outgoing": "outgoing_mail",
            "webhooks.inbox": "inbox",
        },
    ),
    (
        gettext_lazy("Platforms"),
        {
            "integrations.integration": "power",
            "integrations.revision": "history",
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
            "audit.seal": "verified",
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


def used_second_factor(request: HttpRequest) -> bool:
    """Whether whoever makes this request gave a code of their phone, or a recovery code, in this session."""
    return any(record["method"] == "mfa" for record in get_authentication_records(request, request.user))


class OperationsSite(UnfoldAdminSite):
    """The admin. Outside the demo nobody gets in without a second factor."""

    index_title = gettext_lazy("What needs somebody now")
    found_by: dict[type[Model], Any] = {}  # what finds rows by an index, of each model: filled by the room above all
    also_filtered_by: dict[type[Model], list[Any]] = {}  # filters of the lists of each model: filled by that room, too

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
        page = super().admin_view(view, cacheable)
        pages = getattr(view, "__self__", None)

        @wraps(page)
        def keeping(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if isinstance(pages, DjangosModelAdmin):
                refuse_what_are_no_ids(pages, request)
            return keep_filters(request, page(request, *args, **kwargs))

        return csp_override(settings.ADMIN_CSP)(keeping)

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The box that searches everything. What finds is named in the settings: it has to know every room."""
        return import_string(self._get_config("COMMAND", request)["search_callback"])(request)


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
    problems: dict[str, Any] = {"title": _("Problems"), "icon": "emergency_home", "link": reverse("problems")}
    groups: list[dict[str, Any]] = [{"items": [home, problems]}]
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
    return {"title": capfirst(model._meta.verbose_name_plural), "icon": icon, "link": link}


def address_of(row: Model) -> str:
    """The page of a row."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[quote(row.pk)])


def linked(path: str, description: Any) -> Callable[[Any], Any]:
    """A column that links to the row at the end of this path of names."""

    @display(description=description, ordering=path.replace(".", "__"), empty_value="–")
    def column(row: Any) -> Any:
        found = attrgetter(path)(row)
        return found and format_html('<a class="text-link" href="{}">{}</a>', address_of(found), found)

    column.plain = attrgetter(path)  # in a file
    column.leads_away = True
    return column


def written_out(value: Any, encoder: type[json.JSONEncoder] | None) -> str:
    """JSON for people. unfold's own writes the colours of each word into the page, which our policy forbids."""
    return format_html("<pre>{}</pre>", json.dumps(value, indent=2, ensure_ascii=False, cls=encoder))


fields.prettify_json = written_out


def label(text: Any, *, kind: str) -> str:
    """A word on a coloured ground. `kind` is info, success, warning, danger or default."""
    return render_to_string("unfold/helpers/label.html", {"text": text, "type": kind})


def labelled(name: str, description: Any, kinds: dict[Any, str]) -> Callable[[Any], Any]:
    """A column with one of a field's choices as a label."""

    @display(description=description, ordering=name)
    def column(row: Any) -> Any:
        return label(getattr(row, f"get_{name}_display")(), kind=kinds[getattr(row, name)])

    column.chosen = name
    return column


def ago(name: str, description: Any) -> Callable[[Any], Any]:
    """A column with the distance to a time, and the time itself when pointed at."""

    @display(description=description, ordering=name, empty_value="–")
    def column(row: Any) -> Any:
        if (time := getattr(row, name)) is None:
            return None
        said = (time.isoformat(), localize(localtime(time)), naturaltime(time))
        return format_html('<time datetime="{}" title="{}">{}</time>', *said)

    column.plain = attrgetter(name)
    return column


class Autocomplete(AutocompleteSelect):
    """Django's looks up whatever id was sent, and breaks on one that is none; here nothing is chosen then."""

    def optgroups(self, name: str, value: Sequence[str], attr: dict[str, Any] | None = None) -> Any:
        try:
            return super().optgroups(name, value, attr)
        except (ValidationError, ValueError):
            return super().optgroups(name, [], attr)


class Choosing:
    """Forms whose `autocomplete_fields` take any input."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.autocomplete_fields:  # type: ignore[attr-defined]
            kwargs["widget"] = Autocomplete(db_field, admin.site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]


def refuse_what_are_no_ids(pages: DjangosModelAdmin, request: HttpRequest) -> None:
    """Django asks for whatever rows of a list were chosen, and breaks on ids that are none. Raises BadRequest."""
    try:
        for pk in request.POST.getlist(ACTION_CHECKBOX_NAME):
            pages.opts.pk.to_python(pk)
    except ValidationError as error:
        raise BadRequest(*error.messages) from None


class ReadOnly:
    """Pages whose rows are made and changed by the work itself: editing one would break what it promises."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, Listed, ModelAdmin):
    list_filter_submit = True
    show_full_result_count = False
    list_per_page = 50

    def get_list_display_links(self, request: HttpRequest, list_display: Sequence[Any]) -> Any:
        """The first column that leads nowhere else leads to the row: a link within a link is an empty one."""
        if self.list_display_links != ():
            return self.list_display_links
        return [column for column in list_display if not hasattr(column, "leads_away")][:1]

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """With what the box finds. A long list is not read through for a text that it finds by an index."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        kind, text = self.admin_site.found_by.get(self.model), search_term.strip()
        if kind is None or not text:
            return found, may_repeat
        named, is_cut = kind.listed(queryset, text)
        note_cut(request, is_cut)
        if kind.is_long:
            return (named, False) if kind.in_list or named.exists() else (found, may_repeat)
        return queryset.filter(Q(pk__in=named.values("pk")) | Q(pk__in=found.order_by().values("pk"))), False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeysetChangeList if issubclass(self.paginator, InfinitePaginator) else super().get_changelist(request)


class CountlessAdmin(ReadOnlyAdmin):
    """Lists of millions of rows, which nobody counts."""

    paginator = InfinitePaginator
    ordering = ["-pk"]


PAGE = re.compile(r"[1-9][0-9]{0,8}")


class Pages(PaginationInlineFormSet):
    """Related rows, page by page. unfold's own break on what is no number though it looks like one: "²"."""

    def get_page_num(self) -> int:
        """The first for what is none."""
        asked = self.request.GET.get(self.get_pagination_key(), "")
        return int(asked) if PAGE.fullmatch(asked) else 1


class ReadOnlyInline(ReadOnly, TabularInline):
    """A tab of related rows, page by page, each with a link to its own page."""

    formset = Pages
    extra = 0
    per_page = 20
    tab = True
    show_change_link = True
