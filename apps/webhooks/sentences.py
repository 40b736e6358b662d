"""How an address that hears from us is doing, and what became of a message, in words for people."""

from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from .catalogue import EVENTS
from .health import DISABLED_SECONDS
from .models import CANNOT_OPEN, Delivery, Endpoint, Event, Message, Receipt

State = Delivery.State

NO_ANSWER: dict[str, Any] = {
    "timeout": gettext_lazy("It did not answer in time."),
    "unreachable": gettext_lazy("Nobody answers at this address."),
    "tls": gettext_lazy("Its certificate is not valid, so the connection is not safe."),
    "refused": gettext_lazy("This address does not lead to the public internet, so nothing is sent there."),
    "unreadable": gettext_lazy("What it answered cannot be read."),
    "redirect": gettext_lazy("It sends us on to another address. We do not follow: give the final address."),
    "unpublished": gettext_lazy("Messages of this kind are not sent any more."),
    "forbidden": gettext_lazy("Whoever hears there may not hear of this any more."),
    CANNOT_OPEN: gettext_lazy("Its secrets cannot be opened."),
    "bug": gettext_lazy("Something went wrong on our side."),
}
STATUSES: dict[int, Any] = {
    400: gettext_lazy("It says that it does not understand the message"),
    401: gettext_lazy("It does not let us in"),
    403: gettext_lazy("It does not let us in"),
    404: gettext_lazy("It says that there is nothing at this address"),
    405: gettext_lazy("It says that nothing can be sent to this address"),
    408: gettext_lazy("It says that it took too long"),
    410: gettext_lazy("It says that it wants nothing more"),
    413: gettext_lazy("It says that the message is too big"),
    422: gettext_lazy("It refuses the message"),
    429: gettext_lazy("It says that it gets too many messages at once"),
}
WHY_RECEIPT: dict[str, Any] = {
    "bad_signature": gettext_lazy("It was not signed as it should be, so somebody else may have sent it."),
    "bad_time": gettext_lazy("Its time is too far from ours: an old message sent again, or a clock that is wrong."),
    "unknown_event": gettext_lazy("We do not know messages of this kind."),
    "unknown_shop": gettext_lazy("It is about a store that is not connected here."),
    "no_location": gettext_lazy("It is about a place that we do not know."),
    "unknown_order": gettext_lazy("It is about an order that we do not have."),
    "unknown_fulfillment": gettext_lazy("It is about a shipment that we do not have."),
    "not_allowed": gettext_lazy("This integration may not do what it asks for."),
    "refused": gettext_lazy("Nothing of what it says could be taken over."),
    "orders_off": gettext_lazy("Orders of this store are not taken over."),
    "unreadable": gettext_lazy("It could not be read."),
    "bug": gettext_lazy("Something went wrong on our side."),
}
TODO_REJECTED: dict[str, Any] = {
    "bad_time": gettext_lazy("Nothing was done about it. If more come like this, compare the clocks at both sides."),
    "unreadable": gettext_lazy("Nothing was done about it. Whoever looks after that system has to mend it."),
}


@dataclass(frozen=True, slots=True)
class Look:
    """`look` colours the badge that says `label`; `text` is what it means, `todo` who has to do what about it."""

    look: str
    icon: str
    label: Any
    text: Any = ""
    todo: Any = ""


MESSAGES = {
    "completed": Look("success", "check", gettext_lazy("Completed")),
    "acknowledged": Look("", "clock", gettext_lazy("Acknowledged")),
    "failed": Look("danger", "alert", gettext_lazy("Failed")),
}

ENTITIES: dict[str, Any] = {
    "product": gettext_lazy("Products"),
    "stock_level": gettext_lazy("Stock"),
    "order": gettext_lazy("Orders"),
    "fulfillment": gettext_lazy("Shipping"),
    "connection": gettext_lazy("Connections"),
    "integration": gettext_lazy("Integrations"),
    "sync_run": gettext_lazy("Syncs"),
}


def heading(event: str) -> str:
    """A published event in two or three words. Pio's names stand beside ours."""
    if (published := EVENTS.get(event)) is None:
        return event
    words = str(Event.Type(published.source).label)
    return f"{words} ({event})" if published.is_pios else words


def why(error: str) -> str:
    """Why a try came to nothing, from its code; empty when it came to something."""
    if error.startswith("status_") and error[7:].isdigit():
        return answered(int(error[7:]))
    return str(NO_ANSWER.get(error, error.replace("_", " ")))


def answered(status: int) -> str:
    """What an answer with this status says."""
    if status >= 500:
        said = _("Something went wrong there")
    else:
        said = str(STATUSES.get(status, "")) or _("It did not take the message")
    return f"{said} ({status}{_phrase(status)})."


def _phrase(status: int) -> str:
    try:
        return f" {HTTPStatus(status).phrase}"
    except ValueError:
        return ""


def of_endpoint(endpoint: Endpoint, *, held: int) -> Look:
    """How it is doing, why, and who must act. `held` is how many messages wait for it."""
    if endpoint.state == Endpoint.State.PAUSED:
        text = _("Somebody paused it on %(when)s: nothing is sent, and what happens meanwhile is kept.")
        return Look(
            "", "pause", _("Paused"), _dated(text, endpoint.state_since), _("Resume it when you want it again.")
        )
    if endpoint.reason == Endpoint.Reason.GONE:
        text = _("It answered on %(when)s that it wants nothing more (410), so we stopped. What happens is kept.")
        todo = _("Ask whoever looks after that system. Then resume it here, or remove it.")
        return Look("danger", "x", _("Disabled"), _dated(text, endpoint.state_since), todo)
    if endpoint.state == Endpoint.State.DISABLED:
        text = _("We stopped on %(when)s: it had taken nothing for five days. What happens is kept.")
        text = f"{_dated(text, endpoint.state_since)} {why(endpoint.last_error)}"
        next = _next(endpoint) or _("We ask it now and then, and go on when it answers.")
        return Look("danger", "x", _("Disabled"), text, _mend(next))
    if endpoint.is_unopened:
        text = _("Its secrets cannot be opened, so nothing is sent there. What happens is kept.")
        todo = _("Whoever runs this portal brings back a key. Or it gets a new secret at once, and its headers again.")
        return Look("danger", "lock", _("Locked"), text, todo)
    if endpoint.failing_since:
        return _failing(endpoint)
    return _well(endpoint, held)


def _well(endpoint: Endpoint, held: int) -> Look:
    if endpoint.last_success_at is None:
        return Look("", "clock", _("New"), _("Nothing has been sent there yet. Send a test to see whether it arrives."))
    text = ngettext("%(n)d message is on its way.", "%(n)d messages are on their way.", held) % {"n": held}
    return Look("success", "check", _("Working"), text if held else _("Everything has arrived there."))


def _failing(endpoint: Endpoint) -> Look:
    since = endpoint.failing_since
    assert since
    times = ngettext("%(n)d try failed", "%(n)d tries in a row failed", endpoint.failures) % {"n": endpoint.failures}
    known = _dated(_("(since %(when)s)."), since)
    text = f"{times} {known} {why(endpoint.last_error)}"
    until = _dated(
        _("We keep trying. If nothing arrives until %(when)s, we disable it."),
        since + timedelta(seconds=DISABLED_SECONDS),
    )
    return Look("warning", "alert", _("Failing"), text, _mend(_next(endpoint) or until))


def _next(endpoint: Endpoint) -> str:
    """What will happen when nothing is left to be sent; empty when something is."""
    return "" if endpoint.due_at else _("Nothing waits for it now: the next message shows whether it is taken.")


def _mend(next: str) -> str:
    todo = _("Whoever looks after that system has to mend it.")
    return f"{todo} {next}"


def _dated(text: str, moment: Any) -> str:
    return text % {"when": date_format(localtime(moment), "DATETIME_FORMAT")}


def of_delivery(delivery: Delivery) -> Look:
    """What became of a message that goes out. The delivery comes with its endpoint."""
    match delivery.state:
        case State.DELIVERED:
            return Look("success", "check", _("Delivered"), _("It arrived."))
        case State.FAILED:
            text = _("It did not arrive, and we gave up.")
            return Look("danger", "alert", _("Failed"), f"{text} {why(delivery.error)}")
        case State.DROPPED:
            return Look(
                "", "x", _("Dropped"), _("It was not sent: somebody chose to leave it out, or a newer one was.")
            )
    if not delivery.endpoint.is_active:
        return Look("", "pause", _("Kept"), _("It is kept until its address is resumed."))
    if delivery.endpoint.is_unopened:
        return Look("", "lock", _("Kept"), _("It is kept until the secrets of its address can be opened."))
    if delivery.state == State.WAITING:
        return Look("warning", "clock", _("Tried again"), _next_try(delivery))
    if delivery.state == State.BEHIND:
        return Look("", "clock", _("In line"), _("An earlier message about the same thing has to arrive first."))
    return Look("", "clock", _("To be sent"), _("It is about to be sent."))


def _next_try(delivery: Delivery) -> str:
    text = why(delivery.error)
    if delivery.next_attempt_at is None:
        return text
    again = _dated(_("It is tried again (%(when)s)."), delivery.next_attempt_at)
    return f"{text} {again}".strip()


def of_receipt(receipt: Receipt) -> Look:
    """What became of a message that came in."""
    because = of_reason(receipt.error)
    match receipt.state:
        case Receipt.State.RECEIVED:
            return Look("", "clock", _("Waiting"), _("It will be opened in a moment."))
        case Receipt.State.DONE:
            return Look("success", "check", _("Done"), _("We did what it says."))
        case Receipt.State.PARKED:
            return Look("warning", "clock", _("Put aside"), because, _("Once that is cleared, open it again."))
        case Receipt.State.REJECTED:
            todo = TODO_REJECTED.get(receipt.error) or _(
                "Nothing was done about it. If you expected it, compare the secret at both sides."
            )
            return Look("danger", "lock", _("Refused"), because, todo)
    return Look("danger", "alert", _("Failed"), because, _("Open it again when the reason is gone."))


def of_reason(error: str) -> str:
    """Why nothing was done about what came in, from its code."""
    return str(WHY_RECEIPT.get(error, error.replace("_", " ").capitalize()))


def why_message(message: Message) -> str:
    """Why a line of the log failed; empty for one that did not, or not yet."""
    return of_reason(message.error) if message.direction == Message.Direction.IN else why(message.error)
