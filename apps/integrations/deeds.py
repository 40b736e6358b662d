"""Deeds of the admin that ask first: a page that says what will happen, and a form. All of it without JavaScript."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from rest_framework.serializers import ValidationError

from apps.api.errors import Problem, problem_of
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


def ask(
    pages: Any,
    request: HttpRequest,
    *,
    title: str,
    points: Sequence[Any],
    button: Any,
    do: Callable[[dict[str, Any]], HttpResponse],
    back: str,
    form: forms.Form | None = None,
    is_grave: bool = False,
    template: str = "admin/integrations/deed.html",
) -> HttpResponse:
    """The page; or, when it was answered well, what `do` makes of the answer. What refuses the deed stands above it."""
    form = form or forms.Form(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            return do(form.cleaned_data)
        except (Problem, ValidationError) as error:
            for text in _told(problem_of(error)):
                form.add_error(None, text)
    context = {"title": title, "points": points, "button": button, "back": back, "form": form, "is_grave": is_grave}
    context |= pages.admin_site.each_context(request) | {"title": title, "opts": pages.opts, "media": form.media}
    return render(request, template, context, status=422 if form.errors else 200)


def _told(problem: Problem) -> list[str]:
    pairs = [f"{attribute}: {message}" if attribute else message for attribute, message in problem.details]
    return pairs or [problem.detail or problem.title]


def done(request: HttpRequest, row: Any, text: str) -> HttpResponse:
    """Back to the page of the row, where it says so."""
    messages.success(request, text)
    return redirect(address_of(row))


def show_keys(pages: Any, request: HttpRequest, *issued: Issued, title: str, back: str) -> HttpResponse:
    """The one time that these keys are shown."""
    context = pages.admin_site.each_context(request) | {"title": title, "issued": issued, "back": back}
    return render(request, "admin/integrations/keys.html", context | {"opts": pages.opts})
