"""What happened to an order, where it stands and what holds it up, in words for people."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.formats import localize
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .models import Hindrance, Order

Code = Hindrance.Code
State = Order.State

# What `timeline.record` writes down, by its kind; the names in brackets are of its data.
SENTENCES: dict[str, Promise] = {
    "held": gettext_lazy("Held until %(until)s, so that it can still be changed"),
    "released": gettext_lazy("Released: it may go"),
    "waiting": gettext_lazy("It waits. %(reasons)s"),
    "resolved": gettext_lazy("No longer in its way: %(reasons)s"),
    "bug": gettext_lazy("Something went wrong on our side: %(error)s"),
    "routed": gettext_lazy("To be shipped from %(location)s (pieces: %(pieces)s)"),
    "route_again": gettext_lazy("To be routed again"),
    "sent": gettext_lazy("Taken by the warehouse: %(location)s"),
    "found_there": gettext_lazy("%(location)s had it already, as %(remote_id)s: it was not sent twice"),
    "send_failed": gettext_lazy("%(location)s did not take it (%(code)s). We try again"),
    "send_again": gettext_lazy("To be told to its warehouse again, at once"),
    "change_sent": gettext_lazy("%(location)s knows the change"),
    "change_failed": gettext_lazy("%(location)s did not take the change (%(code)s)"),
    "cancel_failed": gettext_lazy("%(location)s could not be asked to stop it (%(code)s). We try again"),
    "picking": gettext_lazy("Being picked at %(location)s"),
    "parcel": gettext_lazy("A parcel left %(location)s (pieces: %(pieces)s), %(carrier)s %(tracking)s"),
    "parcel_told": gettext_lazy("The platform knows of the parcel: %(carrier)s %(tracking)s"),
    "parcel_not_told": gettext_lazy("The platform did not take the news of the parcel %(tracking)s (%(code)s)"),
    "tell_again": gettext_lazy("To be told to its platform again, at once"),
    "closed": gettext_lazy("%(location)s is done with it: not everything was there"),
    "rejected": gettext_lazy("%(location)s refused it. %(reason)s"),
    "stopped": gettext_lazy("%(location)s stopped it"),
    "late_news": gettext_lazy("%(location)s said something of what is over (%(step)s): nothing was changed"),
    "edited": gettext_lazy("Changed. %(fields)s"),
    "cancel_asked": gettext_lazy("To be cancelled: its warehouse is asked to stop. %(reason)s"),
    "cancelled": gettext_lazy("Cancelled. %(reason)s"),
    "cancel_refused": gettext_lazy("%(location)s could not stop it any more (%(code)s)"),
    Code.CANCELLED_LATE: gettext_lazy("Cancelled at the platform, when a warehouse had it"),
    Code.EDITED_LATE: gettext_lazy("Changed at the platform, when a warehouse had it. %(difference)s"),
}


class _Known(dict[str, Any]):
    """The data of an entry. What is not there is nothing: a sentence never breaks for an older entry."""

    def __missing__(self, key: str) -> str:
        return ""


def of(kind: str, data: Mapping[str, Any], *, skus: Mapping[str, str] | None = None) -> str:
    """What one entry says. A kind without words is said as it is called. `skus` are those of products, by their ids."""
    known = SENTENCES.get(kind)
    if known is None:
        return kind.replace("_", " ").capitalize()
    text = str(known) % _Known(data, **_in_words(data, skus or {}))
    return re.sub(r"\s+", " ", text).strip(" .,:")


def _in_words(data: Mapping[str, Any], skus: Mapping[str, str]) -> dict[str, str]:
    """What stands in the data as codes, for people."""
    found = {}
    if "reasons" in data:
        found["reasons"] = " ".join(_matter(code, skus.get(ref, ref)) for code, ref in data["reasons"])
    if "until" in data:
        found["until"] = localize(localtime(datetime.fromisoformat(data["until"])))
    if "fields" in data:
        found["fields"] = ", ".join(str(FIELDS.get(name, name)) for name in data["fields"])
    if isinstance(data.get("lines"), dict):
        pieces = _("%(sku)s: %(ours)s here, %(theirs)s there")
        named = [{"sku": sku, "ours": ours, "theirs": theirs} for sku, (ours, theirs) in data["lines"].items()]
        found["difference"] = "; ".join(pieces % one for one in named)
    return found


@dataclass(frozen=True, slots=True)
class Look:
    """A state's badge and what it means for whoever waits for the goods."""

    look: str
    icon: str
    text: Promise


LOOKS = {
    State.NEW: Look("accent", "clock", gettext_lazy("It has just come. It is being looked at.")),
    State.HELD: Look("plain", "pause", gettext_lazy("It is held back for a moment, so that it can still be changed.")),
    State.WAITING: Look("warning", "alert", gettext_lazy("It cannot go on until somebody does something about it.")),
    State.BLOCKED: Look("plain", "pause", gettext_lazy("A rule of yours holds it back.")),
    State.PENDING_STOCK: Look(
        "plain", "clock", gettext_lazy("It goes on by itself as soon as there are enough pieces.")
    ),
    State.READY: Look("accent", "box", gettext_lazy("Its pieces are reserved. It is on its way to be picked.")),
    State.SENT: Look("accent", "warehouse", gettext_lazy("The warehouse has it, and has not begun to pick it.")),
    State.PICKING: Look("accent", "warehouse", gettext_lazy("It is being picked right now.")),
    State.PARTLY_FULFILLED: Look("accent", "box", gettext_lazy("A part of it has left.")),
    State.FULFILLED: Look("success", "check", gettext_lazy("All of it has left.")),
    State.CANCELLING: Look("warning", "clock", gettext_lazy("The warehouse is being asked to stop it.")),
    State.CANCELLED: Look("plain", "x", gettext_lazy("It was cancelled.")),
    State.NOT_OURS: Look("plain", "minus", gettext_lazy("Nothing of it is for us to ship.")),
}

FIELDS = {
    "tags": gettext_lazy("tags"),
    "notes": gettext_lazy("notes"),
    "destination": gettext_lazy("address"),
    "lines": gettext_lazy("products"),
    "shipping_method": gettext_lazy("shipping method"),
    "first_name": gettext_lazy("first name"),
    "last_name": gettext_lazy("last name"),
    "name": gettext_lazy("name"),
    "address1": gettext_lazy("street and number"),
    "city": gettext_lazy("city"),
    "zip": gettext_lazy("postal code"),
    "province": gettext_lazy("province or state"),
    "country": gettext_lazy("country"),
    "phone": gettext_lazy("phone"),
    "email": gettext_lazy("email"),
}

# What is the matter, and what to do about it. `ref` is what it is about.
TROUBLES: dict[str, tuple[Promise, Promise]] = {
    Code.UNKNOWN_SKU: (
        gettext_lazy("We do not know the SKU “%(ref)s”."),
        gettext_lazy("Say which product it is. The order then goes on by itself."),
    ),
    Code.UNMAPPED_METHOD: (
        gettext_lazy("No shipping service stands for the shipping method “%(ref)s”."),
        gettext_lazy("Say which service it means. The order then goes on by itself."),
    ),
    Code.INCOMPLETE_ADDRESS: (
        gettext_lazy("The address is not complete: %(field)s."),
        gettext_lazy("Complete the address. The order then goes on by itself."),
    ),
    Code.BLOCKED: (
        gettext_lazy("The rule “%(ref)s” holds it back."),
        gettext_lazy("It goes on when the rule, or what the rule looks at, is changed."),
    ),
    Code.NO_LOCATION: (
        gettext_lazy("There is no place it could be shipped from."),
        gettext_lazy("A location that is active, and that the rules allow, has to be set up."),
    ),
    Code.OUT_OF_STOCK: (
        gettext_lazy("There are not enough pieces of %(ref)s."),
        gettext_lazy("It goes on by itself when stock arrives."),
    ),
    Code.NOTHING_TO_SHIP: (gettext_lazy("Nothing of it is for us to ship."), gettext_lazy("There is nothing to do.")),
    Code.REJECTED: (
        gettext_lazy("The warehouse refused it."),
        gettext_lazy("Mend what the warehouse says and route it again, or cancel it."),
    ),
    Code.NOT_SENT: (
        gettext_lazy("The warehouse does not take it at the moment."),
        gettext_lazy("We go on trying. If the reason does not pass by itself, mend it and send it again."),
    ),
    Code.NOT_TOLD: (
        gettext_lazy("The platform does not take the news of its shipment."),
        gettext_lazy("We go on trying. If the reason does not pass by itself, mark it as shipped at the platform."),
    ),
    Code.CANCEL_REFUSED: (
        gettext_lazy("It was to be cancelled, and the warehouse could not stop it any more."),
        gettext_lazy("It is going out. Tell the customer, or ask for it back."),
    ),
    Code.CANCELLED_LATE: (
        gettext_lazy("It was cancelled at the platform when the warehouse had it already."),
        gettext_lazy("The warehouse has been asked to stop it. See what it answers."),
    ),
    Code.EDITED_LATE: (
        gettext_lazy("It was changed at the platform when the warehouse had it already."),
        gettext_lazy("Compare it with the platform. What the warehouse can still change has been passed on."),
    ),
    Code.BUG: (
        gettext_lazy("Something went wrong on our side."),
        gettext_lazy("We are told of it, and look after it."),
    ),
}

GROUPED: dict[str, Promise] = {
    Code.UNKNOWN_SKU: gettext_lazy("waiting for the SKU “%(ref)s”"),
    Code.UNMAPPED_METHOD: gettext_lazy("waiting for the shipping method “%(ref)s”"),
    Code.INCOMPLETE_ADDRESS: gettext_lazy("without a complete address: %(field)s"),
    Code.BLOCKED: gettext_lazy("held back by the rule “%(ref)s”"),
    Code.OUT_OF_STOCK: gettext_lazy("waiting for stock of %(ref)s"),
}


def _named(ref: str) -> dict[str, str]:
    return {"ref": ref or "–", "field": str(FIELDS.get(ref, ref or "–"))}


def _matter(code: str, ref: str) -> str:
    return str(TROUBLES[code][0]) % _named(ref) if code in TROUBLES else code


def grouped(code: str, ref: str) -> str:
    """What many orders have in common, to stand after their number. `ref` is in words, not an id."""
    if code in GROUPED:
        return str(GROUPED[code]) % _named(ref)
    return str(Code(code).label)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A hindrance in words. `link` leads to where it is mended, as far as there is such a page."""

    code: str
    what: str
    todo: str
    who: str
    who_code: str
    is_mine: bool
    link: str
    link_text: str
    since: datetime
    is_flag: bool


def trouble(hindrance: Hindrance, order: Order, *, warehouse: Any = None) -> Trouble:
    """What the owner of a store reads of it. `warehouse` is the integration whose shipping methods are in question."""
    link, link_text = way_out(hindrance.code, integration=order.integration_id, warehouse=warehouse, order=order.pk)
    return Trouble(
        code=hindrance.code,
        what=_matter(hindrance.code, hindrance.detail.get("sku") or hindrance.ref),
        todo=str(TROUBLES[hindrance.code][1]),
        who=str(Hindrance.Who(hindrance.who).label),
        who_code=hindrance.who,
        is_mine=hindrance.who == Hindrance.Who.OWNER,
        link=link,
        link_text=link_text,
        since=hindrance.since,
        is_flag=hindrance.is_flag,
    )


def way_out(code: str, *, integration: Any = None, warehouse: Any = None, order: Any = None) -> tuple[str, str]:
    """The owner's page where it is mended, and what that link says. Empty where nothing of theirs mends it."""
    match code:
        case Code.UNKNOWN_SKU:
            return reverse("unknown-skus", args=[integration]), _("Say which product it is")
        case Code.UNMAPPED_METHOD if warehouse:
            return reverse("shipping-methods", args=[warehouse]), _("Say which service it means")
        case Code.INCOMPLETE_ADDRESS if order:
            return f"{reverse('order', args=[order])}#address", _("Complete the address")
        case Code.UNMAPPED_METHOD:
            return reverse("shipping"), _("Say how it is shipped")
    return "", ""
