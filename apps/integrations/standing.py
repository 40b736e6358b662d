"""How an integration is doing, in one of five words (behaviour 43)."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, TextChoices, Value, When
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .connectors import UnknownConnector, all_connectors
from .models import AuthorizationAttempt, Integration

State = Integration.State


class Standing(TextChoices):
    NOT_CONFIGURED = "not_configured", gettext_lazy("Not configured")
    CONNECTING = "connecting", gettext_lazy("Connecting")
    CONNECTED = "connected", gettext_lazy("Connected")
    ERROR = "error", gettext_lazy("Error")
    DISABLED = "disabled", gettext_lazy("Disabled")


@dataclass(frozen=True, slots=True)
class Stands:
    """`reason` is for whoever asks why; empty when there is nothing to say."""

    standing: Standing
    reason: str = ""


def with_standing[Rows: QuerySet[Any]](integrations: Rows) -> Rows:
    """The integrations, each with what `of` would have to ask the database for: a list costs one query."""
    trips = AuthorizationAttempt.objects.filter(integration=OuterRef("pk"), used_at=None, expires_at__gt=Now())
    itself = Integration.objects.filter(pk=OuterRef("pk"))
    # States of a Connection, which belongs to a room below.
    is_connecting = Exists(itself.filter(connections__state="connecting"))
    is_working = Exists(itself.filter(connections__state__in=["active", "paused"]))
    return integrations.annotate(is_awaited=Exists(trips), is_first_connecting=Q(is_connecting) & ~Q(is_working))


def of(integration: Integration) -> Stands:
    """Its standing. Somebody on the way to the platform's login page, or a first store being connected: connecting."""
    row: Any = integration
    if not hasattr(row, "is_awaited"):
        row = with_standing(Integration.objects.filter(pk=integration.pk)).get()
    if integration.state == State.DISABLED:
        return Stands(Standing.DISABLED, integration.state_reason)
    if gone := _why_gone(integration):
        return Stands(Standing.ERROR, gone)
    if integration.state == State.CONNECTED:
        return Stands(Standing.CONNECTING if row.is_first_connecting else Standing.CONNECTED)
    if row.is_awaited:
        return Stands(Standing.CONNECTING, integration.state_reason)
    if integration.state == State.NEEDS_RECONNECT:
        return Stands(Standing.ERROR, integration.state_reason)
    return Stands(Standing.NOT_CONFIGURED)


def standing[Rows: QuerySet[Any]](integrations: Rows, word: Standing) -> Rows:
    """Those of these that stand so."""
    return _with_word(integrations).filter(word=word)


def counts(integrations: QuerySet[Any]) -> dict[Standing, int]:
    """How many of these stand how, in one statement."""
    counted = _with_word(integrations).order_by().values_list("word").annotate(n=Count("pk"))
    found = {Standing(word): n for word, n in counted}
    return {word: found.get(word, 0) for word in Standing}


def _with_word[Rows: QuerySet[Any]](integrations: Rows) -> Rows:
    """Each with the word that `of` finds for it."""
    is_over = Q(partner=None) & ~Q(connector__in=list(all_connectors())) | Q(partner__deactivated_at__isnull=False)
    word = Case(
        When(state=State.DISABLED, then=Value(Standing.DISABLED)),
        When(is_over, then=Value(Standing.ERROR)),
        When(state=State.CONNECTED, is_first_connecting=True, then=Value(Standing.CONNECTING)),
        When(state=State.CONNECTED, then=Value(Standing.CONNECTED)),
        When(is_awaited=True, then=Value(Standing.CONNECTING)),
        When(state=State.NEEDS_RECONNECT, then=Value(Standing.ERROR)),
        default=Value(Standing.NOT_CONFIGURED),
    )
    return with_standing(integrations).annotate(word=word)


def _why_gone(integration: Integration) -> str:
    """Why nothing can come of it any more; empty when something can."""
    try:
        integration.kind  # noqa: B018 - asks whether there is one
    except UnknownConnector:
        return _("The operator has removed its connector.")
    is_over = integration.partner and not integration.partner.is_active
    return _("The connector's developer has ended it.") if is_over else ""
