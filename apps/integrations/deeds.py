"""What pages of the admin with deeds have in common: the row they are of, and what is shown when one is done."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from apps.accounts.proving import tell_owners
from apps.operations import address_of

from .keying import Issued


def row_of(pages: Any, request: HttpRequest, object_id: str) -> Any:
    """The row of a page of the admin. Raises Http404."""
    row = pages.get_object(request, object_id)
    if row is None:
        raise Http404
    return row


def rows_of(model: Any, object_id: Any) -> Any:
    """The row of this id, as a queryset; none for what is no id."""
    try:
        return model.objects.filter(pk=UUID(str(object_id)))
    except ValueError:
        return model.objects.none()


def done(request: HttpRequest, row: Any, text: str) -> HttpResponse:
    """Back to the page of the row, where it says so."""
    messages.success(request, text)
    return redirect(address_of(row))


def show_keys(pages: Any, request: HttpRequest, *issued: Issued, title: str, back: str) -> HttpResponse:
    """The one time that these keys are shown. Their owners are told."""
    for one in issued:
        tell_owners(one.key.organization, of=str(one.key), by=request.user.get_username())
    context = pages.admin_site.each_context(request) | {"title": title, "issued": issued, "back": back}
    return render(request, "admin/integrations/keys.html", context | {"opts": pages.opts})
