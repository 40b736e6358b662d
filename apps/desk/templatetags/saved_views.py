"""Above each list: the views of it that are kept, and the filters that are on."""

from typing import Any

from django import template
from django.urls import reverse
from django.utils.http import urlencode

from ..filters import chips, kept
from ..models import View

register = template.Library()


@register.inclusion_tag("admin/desk/views.html", takes_context=True)
def saved_views(context: Any, changelist: Any) -> dict[str, Any]:
    """Nothing in a window to choose one row."""
    request, label = context["request"], changelist.model._meta.label_lower
    if changelist.is_popup:
        return {}
    query, _unknown = kept(changelist.model_admin, request, request.GET.urlencode())
    views = list(View.objects.for_person(request.user).filter(model=label).select_related("user"))
    save = f"{reverse('admin:desk_view_save')}?{urlencode({'model': label, 'query': query})}" if query else ""
    return {
        "views": views,
        "query": query,
        "user": request.user,
        "chips": list(chips(changelist, request)),
        "save": "" if query in {view.query for view in views} else save,
        "is_lost": "e" in request.GET,
    }
