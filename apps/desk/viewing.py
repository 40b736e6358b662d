"""Views of lists that people keep: saved, shared with colleagues, changed and deleted."""

from typing import Any

from django.contrib import admin
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.api.errors import Problem, invalid
from apps.audit.trail import Actor, record

from .models import View

LONGEST = 2000  # letters of a query
MOST = 100  # views of one person


def pages_of(label: str, request: HttpRequest) -> Any:
    """The list of the model with this label, that whoever asks may look at. Raises Problem not_found."""
    for model, pages in admin.site._registry.items():
        if model._meta.label_lower == label.lower() and pages.has_view_permission(request):
            return pages
    raise Problem("not_found")


def visible(request: HttpRequest) -> list[str]:
    """The labels of all lists that whoever asks may look at."""
    return [
        model._meta.label_lower for model, pages in admin.site._registry.items() if pages.has_view_permission(request)
    ]


def save(user: User, *, model: str, query: str, name: str, is_shared: bool, actor: Actor) -> View:
    """Keep it. Raises Problem when they have one of this name, or too many, or the query is too long."""
    if len(query) > LONGEST:
        raise Problem("validation_error", _("There are too many filters to be kept."))
    if user.views.count() >= MOST:
        raise Problem("validation_error", _("You have %(n)d views. Delete one first.") % {"n": MOST})
    view = View(user=user, model=model, query=query, name=name, is_shared=is_shared)
    _write(view)
    if is_shared:
        record(actor, "view.share", on=view, after=facts(view))
    return view


def change(view: View, *, name: str, is_shared: bool, actor: Actor) -> None:
    """Call it otherwise, share it or stop sharing it. Raises Problem when they have another of this name."""
    before = facts(view)
    view.name, view.is_shared = name, is_shared
    _write(view)
    if facts(view) != before and (is_shared or before["is_shared"]):
        record(actor, "view.change", on=view, before=before, after=facts(view))


def delete(view: View, *, actor: Actor) -> None:
    if view.is_shared:
        record(actor, "view.delete", on=view, before=facts(view))
    view.delete()


def facts(view: View) -> dict[str, Any]:
    """What the trail says of it."""
    return {"name": view.name, "list": view.model, "query": view.query, "is_shared": view.is_shared}


def _write(view: View) -> None:
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError:
        raise invalid("name", _("You have a view of this name already.")) from None
