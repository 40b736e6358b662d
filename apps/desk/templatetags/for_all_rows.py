"""The bar above each list: what can be done to all rows of its filter."""

from typing import Any

from django import template
from django.urls import reverse
from django.utils.translation import gettext as _

from .. import bulk

register = template.Library()


@register.simple_tag(takes_context=True)
def for_all_rows(context: Any, changelist: Any) -> list[tuple[Any, str]]:
    """Each thing this person may do to them, with the page that asks first. Nothing where no row is, or one is to be
    chosen."""
    if changelist.is_popup or not changelist.result_list:
        return []
    model, query = changelist.model, context["request"].META.get("QUERY_STRING", "")
    mine = bulk.of_list(model, user=context["request"].user)
    deeds = [(bulk.EXPORT, _("Export")), *((deed.code, deed.name) for deed in mine)]
    return [(name, _page(model, code, query)) for code, name in deeds]


def _page(model: Any, code: str, query: str) -> str:
    address = reverse("admin:desk_job_ask", args=[model._meta.label, code])
    return f"{address}?{query}" if query else address
