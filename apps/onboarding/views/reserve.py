"""What a store's platform is told of its stock: all of it again, and how much is kept back."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.accounts.deciding import SignedIn, actor_of, needs
from apps.api.errors import Problem
from apps.catalog.buffering import keep_back
from apps.htmx import go
from apps.shops.models import Connection
from apps.syncs.models import SyncRun
from apps.syncs.offering import check
from apps.syncs.queueing import owe

from ..forms import ReserveForm
from .stores import read_by_us


@login_required
@needs("connect")
@require_POST
def reserve(request: SignedIn, pk: UUID) -> HttpResponse:
    """How many pieces of each product its platform is not told of, in all stores of the account."""
    connection = read_by_us(request, pk)
    form = ReserveForm(request.POST)
    if form.is_valid() and connection.integration:
        keep_back(connection.integration, form.cleaned_data["pieces"], actor=actor_of(request))
        messages.success(request, _("Saved."))
    else:
        messages.error(request, " ".join(map(str, form.errors.get("pieces", []))))
    return go(request, "store", connection.pk)


@login_required
@needs("connect")
@require_POST
def tell_again(request: SignedIn, pk: UUID) -> HttpResponse:
    """Its platform is told all of the store's stock anew."""
    connection = read_by_us(request, pk)
    if not _can_be_told(connection):
        messages.error(request, _("It cannot be told at the moment, so nothing was started."))
    else:
        owe(connection, kind=SyncRun.Kind.STOCK, by=request.user)
        messages.success(request, _("All stock is being told again now."))
    return go(request, "store", connection.pk)


def _can_be_told(connection: Connection) -> bool:
    try:
        if connection.integration:
            check(connection.integration, "product-stocks")
    except Problem:
        return False
    return connection.is_live
