"""What people of the 3PL change about an integration, as a form; and when somebody else was faster, both are shown."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from apps.accounts.asking import ask
from apps.accounts.deciding import SignedIn, actor_of
from apps.api.errors import Problem
from apps.operations import address_of

from .changing import change
from .deeds import done, row_of, rows_of
from .differing import difference, words
from .fields import Field
from .models import Integration, Revision
from .revising import newest, revisions_of
from .settings_forms import SETTING, SettingsForm, filled_in

TEMPLATE = "admin/integrations/settings.html"
MOST_SHOWN = 20  # versions that others saved meanwhile


class ChangesSettings:
    """The settings of an integration, and the way to their history."""

    def has_settings_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        kept = rows_of(Integration, object_id).filter(deleted_at=None)
        return request.user.has_perm("integrations.change_integration") and kept.exists()

    def has_revisions_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("integrations.view_revision")

    @action(description=gettext_lazy("Settings"), permissions=["settings"], icon="settings")
    def change_settings(self, request: SignedIn, object_id: str) -> HttpResponse:
        integration = row_of(self, request, object_id)
        form = SettingsForm(
            request.POST if request.method == "POST" else None, of=integration, initial=_base(integration)
        )

        def do(given: dict[str, Any]) -> HttpResponse:
            wanted = form.wanted
            if not wanted:
                return done(request, integration, _("It was exactly so before. Nothing changed."))
            how: dict[str, Any] = {"note": given["note"], "based_on": given["based_on"]}
            try:
                change(integration, wanted, actor=actor_of(request), **how)
            except Problem as problem:
                if problem.code != "stale_version":
                    raise
                return self._show_both(request, object_id, form)
            return done(request, integration, _("Saved. The history remembers how it was."))

        return ask(self, request, do=do, form=form, template=TEMPLATE, **_words(integration))

    def _show_both(self, request: SignedIn, object_id: str, typed: SettingsForm) -> HttpResponse:
        """What others saved meanwhile, and what was typed, to be saved over it or not (409)."""
        integration = row_of(self, request, object_id)
        since = typed.cleaned_data["based_on"]
        base = revisions_of(integration).filter(number=max(since, 1)).first()
        before = filled_in(base.document, typed.settings) if base else {}
        own = {name: value for name, value in typed.cleaned_data.items() if value != before.get(name, "")}
        form = SettingsForm(of=integration, initial=own | _base(integration))
        for name in own.keys() & form.was.keys():
            if form.was[name] not in (before.get(name), own[name]):
                now = {"value": _said(form.was[name], name, form.settings)}
                form.fields[name].help_text = _("You typed this. Now it is: %(value)s") % now
        meanwhile = list(_meanwhile(integration, since))
        context = self.admin_site.each_context(request) | _words(integration)  # type: ignore[attr-defined]
        context |= {"form": form, "meanwhile": meanwhile, "opts": self.opts, "media": form.media}  # type: ignore[attr-defined]
        return render(request, TEMPLATE, context, status=409)

    @action(description=gettext_lazy("History of settings"), permissions=["revisions"], icon="history")
    def revisions(self, request: SignedIn, object_id: str) -> HttpResponse:
        integration = row_of(self, request, object_id)
        return redirect(f"{reverse('admin:integrations_revision_changelist')}?integration__id__exact={integration.pk}")


def _base(integration: Integration) -> dict[str, Any]:
    last = newest(integration)
    return {"based_on": last.number if last else 0}


def _words(integration: Integration) -> dict[str, Any]:
    points = [_("Each change is kept as a version, with who made it: you can go back to any of them.")]
    title = _("Settings of %(name)s") % {"name": integration}
    return {"title": title, "points": points, "button": _("Save"), "back": address_of(integration)}


def _said(value: Any, name: str, fields: list[Field]) -> Any:
    """What an input holds, in words."""
    field = next((field for field in fields if SETTING + field["key"] == name), None)
    return words(value, field)


def _meanwhile(integration: Integration, since: int) -> Iterator[tuple[Revision, str]]:
    """Each newer version with what it changed."""
    for revision in revisions_of(integration).filter(number__gt=since)[:MOST_SHOWN]:
        if revision.changes:
            yield revision, difference(revision.changes, integration)
