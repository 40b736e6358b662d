"""The filter of lists that leaves just the rows that a problem counts."""

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import DropdownFilter

from . import problems
from .causes import Unknown

OF_PROBLEM = "problem"


class ProblemFilter(DropdownFilter):
    """The rows of the problem of this address. It is among the filters of a list only while it is chosen."""

    title = gettext_lazy("problem")
    parameter_name = OF_PROBLEM

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Raises IncorrectLookupParameters for what is no problem of these rows."""
        address = self.value()
        if not address:
            return []
        try:
            kind, found = problems.kind_of(address), problems.find(address)
        except Unknown as error:
            raise IncorrectLookupParameters from error
        if kind.model is not model_admin.model:
            raise IncorrectLookupParameters(address)
        return [(address, found.title if found else str(kind.name))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        address = self.value()
        return queryset.filter(pk__in=problems.ids(address)) if address else queryset
