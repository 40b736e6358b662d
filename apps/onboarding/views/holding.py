"""How long the new orders of a store's account are held before they go to a warehouse."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.accounts.deciding import SignedIn, actor_of, needs
from apps.htmx import go
from apps.integrations.changing import change

from ..forms import HoldForm
from .stores import connection_of


@login_required
@needs("connect")
@require_POST
def hold(request: SignedIn, pk: UUID) -> HttpResponse:
    """For orders that come from now on, in all stores of the account."""
    connection, form = connection_of(request, pk), HoldForm(request.POST)
    if form.is_valid() and connection.integration:
        seconds = form.cleaned_data["minutes"] * 60
        change(connection.integration, {"order_hold_seconds": seconds}, actor=actor_of(request))
        messages.success(request, _("Saved. It holds for orders that come from now on."))
    else:
        messages.error(request, " ".join(map(str, form.errors.get("minutes", []))))
    return go(request, "store", connection.pk)
