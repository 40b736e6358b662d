"""The filter of the list of orders that leaves just those that a concern of the first page holds up."""

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import DropdownFilter

from . import reckoning
from .concern import AT_RISK, Concern


class RiskFilter(DropdownFilter):
    """The orders at risk by the concern of this key. It is among the filters of the list only while it is chosen."""

    title = gettext_lazy("at risk by")
    parameter_name = AT_RISK

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Raises IncorrectLookupParameters for what holds up no orders, or is nothing that this person may see."""
        if not self.value():
            return []
        concern = self.concern()
        if concern is None or not request.user.has_perm(concern.permission):
            raise IncorrectLookupParameters(self.value())
        return [(concern.key, str(concern.title))]

    def concern(self) -> Concern | None:
        return next((one for one in reckoning.concerns() if one.key == self.value() and one.orders), None)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        concern = self.concern() if self.value() else None
        return queryset.filter(pk__in=reckoning.at_risk(concern)) if concern else queryset
