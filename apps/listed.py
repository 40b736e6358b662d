"""What all lists of the admin have in common: what may be asked of them, that deeds are for chosen rows only, and that
a search says when it may not have found all."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import FieldError, ValidationError
from django.db import DataError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

# What a filter that nothing can be compared with comes to: in Django while it is said, in PostgreSQL when it is asked.
UNREADABLE = (DataError, FieldError, OverflowError, TypeError, ValidationError, ValueError)
SLOW = {"regex", "iregex"}  # read a list through, and a pattern can take PostgreSQL for as long as it likes
# What an address has no way to say, and what asks for extensions of PostgreSQL that we do not have.
UNASKABLE = {"range", "unaccent", "trigram_similar", "trigram_word_similar", "trigram_strict_word_similar"}
REFUSED = SLOW | UNASKABLE
NOT_ACROSS = {"", "0"}
MAY_LACK = gettext_lazy(
    "The search may not have found all of them. Search for more of the name, or choose a filter instead."
)
CUT = "is_search_cut"  # of a request


def note_cut(request: HttpRequest, is_cut: bool) -> None:
    """That the list shows only the first rows that its search found."""
    setattr(request, CUT, is_cut)


def may_lack(request: HttpRequest) -> bool:
    """Whether the list that was put together for this request may lack rows that its search is for."""
    return getattr(request, CUT, False)


class Listed:
    """Pages with a list. It is shown without a filter that cannot be read, and says so."""

    show_facets = ShowFacets.NEVER  # they count all rows of a list once for each choice of its filters
    list_disable_select_all = True  # for all rows of a filter there are jobs, which count and ask first

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        return REFUSED.isdisjoint(lookup.split("__")) and super().lookup_allowed(lookup, value, request)  # type: ignore[misc]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """With those that the room above all adds."""
        more = self.admin_site.also_filtered_by.get(self.model, [])  # type: ignore[attr-defined]
        return [*super().get_list_filter(request), *more]  # type: ignore[misc]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Raises IncorrectLookupParameters, as Django does where it looks at a filter itself."""
        try:
            return super().get_changelist_instance(request)  # type: ignore[misc]
        except UNREADABLE as error:
            if not request.GET.keys() - {ERROR_FLAG}:
                raise
            raise IncorrectLookupParameters(error) from error

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any) -> Any:
        """To the rows that were chosen. All of a filter would be done at once, uncounted and with no way to stop it."""
        if request.POST.get("select_across", "") in NOT_ACROSS:
            return super().response_action(request, queryset, *args, **kwargs)  # type: ignore[misc]
        text = _("Choose the rows one by one. What can be done to all rows of a filter stands above the list.")
        messages.error(request, text)
        return HttpResponseRedirect(request.get_full_path())
