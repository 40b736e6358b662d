"""Deeds of the admin that ask first: a page that says what will happen, and a form. All of it without JavaScript."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import number_format
from rest_framework.serializers import ValidationError

from apps.api.errors import Problem, problem_of
from apps.returning import along


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
    context = {"title": title, "points": points, "button": button, "form": form, "is_grave": is_grave}
    context["back"] = along(request, back)
    context |= pages.admin_site.each_context(request) | {"title": title, "opts": pages.opts, "media": form.media}
    return render(request, template, context, status=422 if form.errors else 200)


def _told(problem: Problem) -> list[str]:
    pairs = [f"{attribute}: {message}" if attribute else message for attribute, message in problem.details]
    return pairs or [problem.detail or problem.title]


# ---- About rows that were chosen in a list


class ChosenForm(forms.Form):
    """Which rows were chosen for which deed, by the names that Django gives them; sent once more by whoever is sure."""

    action = forms.CharField(widget=forms.HiddenInput)
    post = forms.CharField(widget=forms.HiddenInput, initial="yes")

    def __init__(self, request: HttpRequest, action: str, rows: QuerySet[Any]) -> None:
        super().__init__(request.POST if "post" in request.POST else None, initial={"action": action})
        chosen = forms.Field(widget=forms.MultipleHiddenInput, initial=[row.pk for row in rows])
        self.fields[ACTION_CHECKBOX_NAME] = chosen


def ask_about(
    pages: Any,
    request: HttpRequest,
    rows: QuerySet[Any],
    *,
    action: str,
    point: Any,
    names: Sequence[str],
    do: Callable[[dict[str, Any]], HttpResponse],
) -> HttpResponse:
    """`ask` for a deed of a list, with the number and the `names` of the rows that were chosen for it."""
    button = pages.get_action(action).description
    title = f"{button}: {number_format(len(rows))} {pages.opts.verbose_name_plural}"
    form, back = ChosenForm(request, action, rows), request.get_full_path()
    points = [point, *names]
    return ask(pages, request, title=title, points=points, button=button, do=do, back=back, form=form, is_grave=True)
