"""The owner's pages of shipping methods: what shops call a way to ship, and what each warehouse does then."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _

from apps.accounts.deciding import SignedIn, actor_of, needs
from apps.api.errors import Problem
from apps.htmx import go
from apps.integrations.models import Integration

from . import shipping
from .shipping import Methods

TYPED = 300  # pairs that are shown to be typed over; longer mappings are for the API
BLANKS = 2


@login_required
@needs("see")
def shipping_overview(request: SignedIn) -> HttpResponse:
    """The warehouses that ship for them, each with how many names nobody has said the meaning of. Of one, its page."""
    found = Integration.objects.for_principal(request).kept().filter(locations__isnull=False).distinct()
    warehouses = list(found.select_related("partner").order_by("name", "pk"))
    if len(warehouses) == 1:
        return go(request, "shipping-methods", warehouses[0].pk)
    rows = [(warehouse, len(shipping.unmapped(warehouse))) for warehouse in warehouses]
    return render(request, "orders/shipping_overview.html", {"rows": rows})


@login_required
@needs("see")
def shipping_methods(request: SignedIn, pk: UUID) -> HttpResponse:
    """The whole mapping, with the names nobody has said the meaning of. What is sent takes the place of all of it."""
    found = Integration.objects.for_principal(request).kept().select_related("partner", "organization")
    integration = get_object_or_404(found, pk=pk)
    holds = shipping.methods_of(integration)
    if request.method != "POST":
        return _page(request, integration, list(holds.pairs.items()), holds.fallback)
    if not request.user.may("connect"):
        raise PermissionDenied("connect")
    if len(holds.pairs) > TYPED:
        messages.error(request, _("There are too many pairs to type. Change them over the API."))
        return go(request, "shipping-methods", pk)
    typed, fallback = _typed(request.POST), request.POST.get("fallback", "")
    try:
        _check_whole(request.POST)
        shipping.save(integration, shipping.written(typed, fallback=fallback), actor=actor_of(request))
    except Problem as problem:
        return _page(request, integration, typed, fallback, problem=problem)
    messages.success(request, _("Saved. Orders that waited for it go on by themselves."))
    return go(request, "shipping-methods", pk)


def _check_whole(given: QueryDict) -> None:
    """A form that lost its rows on the way must not empty the mapping. Raises Problem."""
    names, codes = given.getlist("name"), given.getlist("service")
    if not names or len(names) != len(codes) or "fallback" not in given:
        raise Problem("validation_error", _("The form did not come whole. Please try again."))


def _typed(given: QueryDict) -> list[tuple[str, str]]:
    """The rows as they were sent; a name without a service is one that is left open."""
    rows = zip(given.getlist("name"), given.getlist("service"), strict=False)
    return [(name, code) for name, code in rows if code]


def _page(
    request: SignedIn,
    integration: Integration,
    pairs: list[tuple[str, str]],
    fallback: str,
    *,
    problem: Problem | None = None,
) -> HttpResponse:
    named = {name for name, _code in pairs}
    open_ones = [(one.name, "", one) for one in shipping.unmapped(integration) if one.name not in named]
    context = {
        "integration": integration,
        "rows": [*((name, code, None) for name, code in pairs), *open_ones],
        "blank": [("", "", None)] * BLANKS,
        "count": len(pairs),
        "is_typed": len(pairs) <= TYPED,
        "fallback": fallback,
        "services": _services(integration, Methods(dict(pairs), fallback)),
        "mistakes": [reason for _place, reason in problem.details] or [problem.detail] if problem else [],
    }
    return render(request, "orders/shipping_methods.html", context)


def _services(integration: Integration, methods: Methods) -> list[tuple[str, str]]:
    """Codes and names to choose from; empty where the warehouse lists none, and a code is typed."""
    known = list(shipping.services_of(integration).order_by("name", "id"))
    used = {*methods.pairs.values(), methods.fallback}
    gone = _("no longer offered")
    offered = [(one.code, one.name) for one in known if one.removed_at is None]
    return offered + [(one.code, f"{one.name} ({gone})") for one in known if one.removed_at and one.code in used]
