"""Messages that do not arrive, at others or here."""

from typing import Any

from django.db.models import Max, Min, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.webhooks import sentences
from apps.webhooks.models import Delivery, Endpoint, Receipt

from ..causes import Kind, Who
from .amounts import addresses, messages

OF_INTEGRATION = {"organization": "organization", "integration": "integration"}
State = Receipt.State


def _down() -> QuerySet[Endpoint]:
    """Those that do not take what is sent there. One that somebody paused is as it was wanted."""
    stopped = Q(state=Endpoint.State.DISABLED) | Q(state=Endpoint.State.ACTIVE, failing_since__isnull=False)
    return Endpoint.objects.kept().filter(stopped)


def _arrived(code: str, name: Promise, title: Promise, who: Who, found: Any) -> Kind:
    return Kind(
        code=code,
        name=name,
        title=title,
        who=who,
        model=Receipt,
        found=found,
        by=OF_INTEGRATION | {"error": "error"},
        first=Min("received_at"),
        last=Max("received_at"),
        amount=messages,
        why=lambda refs: sentences.of_reason(refs["error"]),
    )


OF_MESSAGES = [
    Kind(
        code="endpoint-down",
        name=_("Addresses that take nothing"),
        title=_("%(endpoint)s does not take our messages. %(why)s"),
        who=Who.PARTNER,
        model=Endpoint,
        found=_down,
        by=OF_INTEGRATION | {"endpoint": "pk"},
        first=Min(Coalesce("failing_since", "state_since")),
        last=Max(Greatest("failing_since", "state_since")),
        amount=addresses,
        why=lambda refs: sentences.why(refs["endpoint"].last_error) if refs["endpoint"] else "",
    ),
    Kind(
        code="failed-delivery",
        name=_("Messages that did not arrive"),
        title=_("Messages to %(endpoint)s did not arrive, and we gave up. %(why)s"),
        who=Who.PARTNER,
        model=Delivery,
        found=Delivery.objects.came_to_nothing,
        by={
            "organization": "organization",
            "integration": "endpoint__integration",
            "endpoint": "endpoint",
            "error": "error",
        },
        first=Min("finished_at"),
        last=Max("finished_at"),
        amount=messages,
        why=lambda refs: sentences.why(refs["error"]),
    ),
    _arrived(
        "parked-message",
        _("Messages that are put aside"),
        _("Messages of %(integration)s are put aside. %(why)s"),
        Who.US,
        lambda: Receipt.objects.filter(state=State.PARKED),
    ),
    _arrived(
        "failed-message",
        _("Messages we could not act on"),
        _("We could not act on messages of %(integration)s. %(why)s"),
        Who.US,
        lambda: Receipt.objects.lately(State.FAILED),
    ),
    _arrived(
        "refused-message",
        _("Messages that are refused"),
        _("Messages of %(integration)s are refused. %(why)s"),
        Who.PARTNER,
        lambda: Receipt.objects.lately(State.REJECTED),
    ),
]
