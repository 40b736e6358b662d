"""What people of the 3PL do with an integration, from its page: keys, off and on, configuration, definition."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action

from apps.accounts.asking import ask
from apps.accounts.deciding import SignedIn, actor_of
from apps.accounts.proving import shows_secret
from apps.audit.trail import record
from apps.operations import address_of

from . import configuration, customizing, exporting, keying, switching
from .custom_forms import ImportForm, IntegrationKeyForm, ReasonForm
from .deeds import done, row_of, rows_of, show_keys
from .models import Integration

CONFIGURATION = {
    "title": gettext_lazy("Configuration"),
    "icon": "tune",
    "items": ["revisions", "export_configuration", "import_configuration", "apply_definition"],
}


def _may(request: HttpRequest, object_id: Any, **which: Any) -> bool:
    rows = rows_of(Integration, object_id).filter(**which)
    return request.user.has_perm("integrations.change_integration") and rows.exists()


class IntegrationDeeds:
    """Each asks first, says what will happen, and is entered in the audit trail under whoever did it (behaviour 97)."""

    actions_detail = ["change_settings", "new_key", "disable", "enable", CONFIGURATION]

    def has_key_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        takes_keys = rows_of(Integration, object_id).exclude(partner__kind="registered")
        return request.user.has_perm("integrations.add_apikey") and takes_keys.exists()

    def has_change_it_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return _may(request, object_id)

    def has_disable_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        others = [state for state in Integration.State if state != Integration.State.DISABLED]
        return _may(request, object_id, state__in=others)

    def has_enable_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return _may(request, object_id, state=Integration.State.DISABLED)

    def has_apply_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return _may(request, object_id, partner__kind="custom")

    @action(description=gettext_lazy("New key"), permissions=["key"], icon="key")
    @shows_secret
    def new_key(self, request: SignedIn, object_id: str) -> HttpResponse:
        integration = row_of(self, request, object_id)
        form = IntegrationKeyForm(request.POST if request.method == "POST" else None)

        def do(given: dict[str, Any]) -> HttpResponse:
            grants = None if given["all_grants"] else given["grants"]
            made = keying.issue(
                integration, name=given["name"], grants=grants, by=request.user, actor=actor_of(request)
            )
            return show_keys(self, request, made, title=_("The new key"), back=address_of(integration))

        points = [_("Give each program a key of its own: then each can be narrowed, rotated and ended alone.")]
        title, back = _("A key for %(name)s") % {"name": integration}, address_of(integration)
        return ask(self, request, title=title, points=points, button=_("Make the key"), do=do, back=back, form=form)

    @action(description=gettext_lazy("Disable"), permissions=["disable"], icon="pause_circle")
    def disable(self, request: SignedIn, object_id: str) -> HttpResponse:
        integration = row_of(self, request, object_id)
        form = ReasonForm(request.POST if request.method == "POST" else None)

        def do(given: dict[str, Any]) -> HttpResponse:
            switching.disable(integration, actor=actor_of(request), reason=given["reason"])
            return done(request, integration, _("%(name)s is disabled.") % {"name": integration})

        points = [
            _("Its calls are refused, and its syncs wait."),
            _("Nothing is lost: enabling it again brings everything back as it was."),
        ]
        title, back = _("Disable %(name)s?") % {"name": integration}, address_of(integration)
        button = _("Disable")
        return ask(self, request, title=title, points=points, button=button, do=do, back=back, form=form, is_grave=True)

    @action(description=gettext_lazy("Enable"), permissions=["enable"], icon="play_circle")
    def enable(self, request: SignedIn, object_id: str) -> HttpResponse:
        integration = row_of(self, request, object_id)

        def do(given: dict[str, Any]) -> HttpResponse:
            switching.enable(integration, actor=actor_of(request))
            return done(request, integration, _("%(name)s is enabled again.") % {"name": integration})

        points = [_("Its calls are let in again, and its syncs go on.")]
        title, back = _("Enable %(name)s?") % {"name": integration}, address_of(integration)
        return ask(self, request, title=title, points=points, button=_("Enable"), do=do, back=back)

    @action(description=gettext_lazy("Export"), permissions=["change_it"], icon="download")
    def export_configuration(self, request: SignedIn, object_id: str) -> HttpResponse:
        integration = row_of(self, request, object_id)
        document = exporting.export(integration)
        record(actor_of(request), "configuration.export", on=integration)
        name = slugify(integration.name) or "integration"
        return HttpResponse(
            json.dumps(document, indent=2, ensure_ascii=False),
            content_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="{name}.json"'},
        )

    @action(description=gettext_lazy("Import"), permissions=["change_it"], icon="upload")
    def import_configuration(self, request: SignedIn, object_id: str) -> HttpResponse:
        integration = row_of(self, request, object_id)
        form = ImportForm(*((request.POST, request.FILES) if request.method == "POST" else ()))

        def do(given: dict[str, Any]) -> HttpResponse:
            changes = configuration.apply(integration, given["file"], actor=actor_of(request))
            names = ", ".join(change["attribute"] for change in changes)
            text = ngettext("%(n)d thing changed: %(names)s", "%(n)d things changed: %(names)s", len(changes))
            none = _("It was exactly so before. Nothing changed.")
            return done(request, integration, text % {"n": len(changes), "names": names} if changes else none)

        points = [_("Secrets are not part of it: they stay as they are.")]
        title, back = _("Import a configuration into %(name)s") % {"name": integration}, address_of(integration)
        return ask(self, request, title=title, points=points, button=_("Import"), do=do, back=back, form=form)

    @action(description=gettext_lazy("Apply the definition"), permissions=["apply"], icon="published_with_changes")
    def apply_definition(self, request: SignedIn, object_id: str) -> HttpResponse:
        integration = row_of(self, request, object_id)

        def do(given: dict[str, Any]) -> HttpResponse:
            customizing.apply_definition(integration, actor=actor_of(request))
            return done(request, integration, _("It has the rights of its definition now."))

        title, back = _("Apply the definition of %(name)s?") % {"name": integration}, address_of(integration)
        points = list(_consequences(integration))
        return ask(self, request, title=title, points=points, button=_("Apply"), do=do, back=back)


def _consequences(integration: Integration) -> Any:
    """What applying would change, in words."""
    definition = integration.partner
    assert definition
    had, asks = set(integration.grants), set(definition.grants)
    if gained := sorted(asks - had):
        yield _("New rights: %(grants)s.") % {"grants": ", ".join(gained)}
    if lost := sorted(had - asks):
        yield _("Rights it loses: %(grants)s.") % {"grants": ", ".join(lost)}
    if definition.org_wide_access and not integration.org_wide_access:
        yield _("Its keys will see all of the organization, and not only what is theirs.")
    if integration.org_wide_access and not definition.org_wide_access:
        yield _("Its keys will see only what is theirs.")
    if not customizing.waits_to_be_applied(integration):
        yield _("It has the rights of its definition already.")
