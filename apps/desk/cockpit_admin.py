"""The page of an integration: how it does, how the last days went, the newest of everything, and what can be done.

Each deed asks first, and is entered in the audit trail under whoever did it (behaviour 97).
"""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.datasets import BaseDataset
from unfold.decorators import action

from apps.accounts import looking
from apps.accounts.asking import ask
from apps.accounts.deciding import SignedIn, actor_of
from apps.integrations.deeds import done, row_of, rows_of
from apps.integrations.integration_deeds import IntegrationDeeds
from apps.integrations.models import Integration
from apps.operations import address_of
from apps.shops.models import Connection
from apps.syncs import acting
from apps.syncs.admin import IntegrationWithActionsAdmin, RunsOfIntegrationAdmin
from apps.syncs.models import SyncRun

from . import cockpit, days, steering
from .cockpit_forms import PauseForm, ReplaceForm, ResumeForm, SyncForm
from .cockpit_tabs import TABS, Tab

admin.site.unregister(Integration)

GOODS = {
    "title": gettext_lazy("Stock and orders"),
    "icon": "inventory",
    "items": ["keep_back", "hold_orders"],
}
STORES = {
    "title": gettext_lazy("Stores"),
    "icon": "bolt",
    "items": [
        *("test_connection", "reconnect_link", "sync_now", "sync_part", "compare_stock"),
        *("pause_stores", "resume_stores", "replace_id", "look_as_owner"),
    ],
}


def _posted(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


class CockpitDeeds:
    """Before `apps.syncs.admin`'s in the order of classes: pausing and resuming here also takes one store."""

    def _has_stores(self, object_id: Any, *states: str) -> bool:
        found = rows_of(Integration, object_id).filter(partner=None, deleted_at=None)
        return found.filter(connections__state__in=states).exists()

    def has_link_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self._offers(request, object_id, "reconnect-link")  # type: ignore[attr-defined]

    def has_part_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self._offers(request, object_id, "sync-now")  # type: ignore[attr-defined]

    def has_pause_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        may: bool = self.has_run_permission(request)  # type: ignore[attr-defined]
        return may and self._has_stores(object_id, Connection.State.ACTIVE)

    def has_resume_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        may: bool = self.has_run_permission(request)  # type: ignore[attr-defined]
        return may and self._has_stores(object_id, Connection.State.PAUSED)

    def has_replace_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        may = request.user.has_perm("integrations.change_integration")
        return may and self._has_stores(object_id, Connection.State.ACTIVE)

    def has_look_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(looking.PERMISSION)

    @action(description=gettext_lazy("Link to send"), permissions=["link"], icon="forward_to_inbox")
    def reconnect_link(self, request: SignedIn, object_id: str) -> HttpResponse:
        integration = row_of(self, request, object_id)

        def do(given: dict[str, Any]) -> HttpResponse:
            outcome = acting.perform(integration, "reconnect-link", values={}, actor=actor_of(request), by=request.user)
            return _show_links(self, request, integration, outcome)

        points = [
            _("The link is an address of this portal. Whoever opens it logs in here first, and then at the platform."),
            _("It works for as long as the store is connected, and holds no secret."),
        ]
        title, back = _("A link to reconnect %(name)s") % {"name": integration}, address_of(integration)
        return ask(self, request, title=title, points=points, button=_("Show the link"), do=do, back=back)

    @action(description=gettext_lazy("Sync a part"), permissions=["part"], icon="sync_alt")
    def sync_part(self, request: SignedIn, object_id: str) -> HttpResponse:
        integration = row_of(self, request, object_id)
        form = SyncForm(_posted(request), integration=integration)

        def do(given: dict[str, Any]) -> HttpResponse:
            runs = steering.sync(
                integration,
                given["kind"],
                store=given["store"],
                since=_midnight(given.get("since")),
                by=request.user,
                actor=actor_of(request),
            )
            text = ngettext("%(n)d sync begins now.", "%(n)d syncs begin now.", len(runs))
            return done(request, integration, text % {"n": len(runs)})

        title, back = _("What of %(name)s shall be synced?") % {"name": integration}, address_of(integration)
        return ask(self, request, title=title, points=[], button=_("Sync"), do=do, back=back, form=form)

    @action(description=gettext_lazy("Pause"), permissions=["pause"], icon="pause")
    def pause_stores(self, request: SignedIn, object_id: str) -> HttpResponse:
        integration = row_of(self, request, object_id)
        form = PauseForm(_posted(request), integration=integration)

        def do(given: dict[str, Any]) -> HttpResponse:
            n = steering.pause(integration, given["store"], actor=actor_of(request), reason=given["reason"])
            text = ngettext("%(n)d store is paused.", "%(n)d stores are paused.", n)
            return done(request, integration, text % {"n": n})

        points = [_("Nothing is read from what is paused until it is resumed. Nothing is lost.")]
        title, back = _("Pause stores of %(name)s?") % {"name": integration}, address_of(integration)
        return ask(self, request, title=title, points=points, button=_("Pause"), do=do, back=back, form=form)

    @action(description=gettext_lazy("Resume"), permissions=["resume"], icon="play_arrow")
    def resume_stores(self, request: SignedIn, object_id: str) -> HttpResponse:
        integration = row_of(self, request, object_id)
        form = ResumeForm(_posted(request), integration=integration)

        def do(given: dict[str, Any]) -> HttpResponse:
            n = steering.resume(integration, given["store"], actor=actor_of(request), reason=given["reason"])
            text = ngettext("%(n)d store goes on.", "%(n)d stores go on.", n)
            return done(request, integration, text % {"n": n})

        points = [_("They go on, beginning with a sync of what came meanwhile.")]
        title, back = _("Resume stores of %(name)s?") % {"name": integration}, address_of(integration)
        return ask(self, request, title=title, points=points, button=_("Resume"), do=do, back=back, form=form)

    @action(description=gettext_lazy("Replace an ID"), permissions=["replace"], icon="swap_horiz")
    def replace_id(self, request: SignedIn, object_id: str) -> HttpResponse:
        integration = row_of(self, request, object_id)
        form = ReplaceForm(_posted(request), integration=integration)

        def do(given: dict[str, Any]) -> HttpResponse:
            store, wanted = given["store"], given["ext_shop_id"]
            steering.replace_id(store, wanted, actor=actor_of(request), reason=given["reason"])
            return done(request, integration, _("The store is connected as “%(id)s”.") % {"id": wanted})

        points = [
            _("The ID is what the platform knows this store by. It is taken away there, and then given anew."),
            _("In between, for a moment, the store is not connected at the platform: messages of it are refused."),
            _("If the platform refuses the new ID, the old one is put back."),
        ]
        title, back = _("Replace the ID of a store of %(name)s?") % {"name": integration}, address_of(integration)
        button = _("Replace")
        return ask(self, request, title=title, points=points, button=button, do=do, back=back, form=form, is_grave=True)

    @action(description=gettext_lazy("See it as its owner"), permissions=["look"], icon="visibility")
    def look_as_owner(self, request: SignedIn, object_id: str) -> HttpResponse:
        integration = row_of(self, request, object_id)
        return redirect("admin:accounts_organization_look", integration.organization_id)


def _midnight(day: Any) -> datetime | None:
    """When a day begins here."""
    return timezone.make_aware(datetime.combine(day, datetime.min.time())) if day else None


def _show_links(pages: Any, request: SignedIn, integration: Integration, outcome: acting.Outcome) -> HttpResponse:
    people = [] if integration.partner_id else steering.who_may_connect(integration)
    links = [link | {"mail": _mail(people, link["url"], integration)} for link in outcome.result["links"]]
    title = _("To reconnect %(name)s") % {"name": integration}
    context = {"links": links, "detail": outcome.detail, "people": people, "back": address_of(integration)}
    context |= pages.admin_site.each_context(request) | {"title": title, "opts": pages.opts}
    return render(request, "admin/cockpit/links.html", context)


def _mail(people: list[str], url: str, integration: Integration) -> str:
    """A mail to them, for whatever program opens it; empty when there is nobody to write to."""
    if not people:
        return ""
    subject = _("Please log in again: %(name)s") % {"name": integration}
    body = _("Please open this address and log in, so that %(portal)s can go on:") % {"portal": settings.PORTAL_NAME}
    said = f"subject={quote(subject)}&body={quote(body)}%0A%0A{quote(url)}"
    return f"mailto:{','.join(quote(email) for email in people)}?{said}"


# ---- The page


class Runs(Tab):
    model, model_admin = SyncRun, RunsOfIntegrationAdmin


@admin.register(Integration)
class IntegrationCockpitAdmin(CockpitDeeds, IntegrationWithActionsAdmin):
    change_form_outer_before_template = "admin/cockpit/top.html"
    actions_detail = [*IntegrationDeeds.actions_detail, GOODS, STORES]

    def get_changeform_datasets(self, request: HttpRequest) -> list[type[BaseDataset]]:
        """Those whose rows this person may see."""
        tabs = [Runs, *TABS]
        return [tab for tab in tabs if admin.site.get_model_admin(tab.model).has_view_permission(request)]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **more: Any) -> HttpResponse:
        if integration := more.get("obj"):
            context |= top(request, integration)
        return super().render_change_form(request, context, **more)


def top(request: HttpRequest, integration: Integration) -> dict[str, Any]:
    """Context of what stands above the page's tabs."""
    found = cockpit.verdict(integration)
    mend = found.mend if found.mend and request.user.has_perm(found.mend.permission) else None
    went = days.days(integration)
    tally = [(how, sum(day.how == how for day in went)) for how in days.How]
    return {"verdict": found, "mend": mend, "days": went, "tally": tally}
