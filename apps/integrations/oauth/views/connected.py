"""Connected apps: which applications an organization let in, what they may do, and the door."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from apps.accounts.deciding import SignedIn, actor_of, needs
from apps.api.grants import CONSENTED
from apps.api.limits import usage_of

from ... import consenting
from ...models import Authorization, Integration, ReachableStore


@dataclass(frozen=True, slots=True)
class App:
    """An application as its card shows it."""

    integration: Integration
    last_used: datetime | None

    @property
    def scopes(self) -> list[Any]:
        """What it may do, in plain words."""
        return [words for scope, words in CONSENTED.items() if scope in self.integration.grants]

    @property
    def consents(self) -> list[Authorization]:
        return self.integration.held  # type: ignore[attr-defined]

    @property
    def first(self) -> Authorization:
        """Since when, and by whom."""
        return self.consents[-1]

    @property
    def shops(self) -> list[Any]:
        """Those it made with one of its tokens."""
        found = (getattr(consent, "shop", None) for consent in self.consents)
        return [shop for shop in found if shop and shop.is_active]


def connected(request: SignedIn) -> Any:
    """The integrations of registered applications that hold a consent, with all that the page shows of them."""
    live = Authorization.objects.live().exclude(application=None).select_related("user", "shop")
    stores = ReachableStore.objects.select_related("store__brand").order_by("store__brand__name", "store__name")
    held = Prefetch("authorizations", live, to_attr="held")
    rows = Integration.objects.for_principal(request).filter(pk__in=live.values("integration"))
    rows = rows.filter(partner__deactivated_at=None).select_related("partner").order_by("name", "pk")
    return rows.prefetch_related(held, Prefetch("reachable_stores", stores))


def _apps(rows: Any) -> list[App]:
    usage = usage_of([f"integration:{row.pk}" for row in rows])
    found = ((row, usage.get(f"integration:{row.pk}")) for row in rows)
    return [App(row, used.last_at if used else None) for row, used in found]


@login_required
@needs("see")
def apps(request: SignedIn) -> HttpResponse:
    """Every application that may do something here."""
    return render(request, "integrations/apps.html", {"apps": _apps(connected(request))})


@login_required
@needs("manage")
def disconnect(request: SignedIn, pk: UUID) -> HttpResponse:
    """Say what will stop, then stop it at once."""
    integration = get_object_or_404(connected(request), pk=pk)
    if request.method == "POST":
        consenting.withdraw(integration, actor=actor_of(request))
        messages.success(request, _("%(name)s can no longer do anything here.") % {"name": integration.name})
        return redirect("apps")
    return render(request, "integrations/disconnect.html", {"app": _apps([integration])[0]})
