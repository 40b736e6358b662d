"""What a run's error codes mean to a store owner: what happened, and who has to do what."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .models import SyncRun

RUN: dict[str, Promise] = {
    "unreachable": gettext_lazy("%(platform)s could not be reached."),
    "timeout": gettext_lazy("%(platform)s took too long to answer."),
    "server_error": gettext_lazy("%(platform)s has a problem of its own."),
    "rate_limited": gettext_lazy("%(platform)s asked us to slow down."),
    "garbled": gettext_lazy("%(platform)s sent an answer that broke off or made no sense."),
    "repeated_page": gettext_lazy("%(platform)s sent the same part of the list twice."),
    "unauthorized": gettext_lazy("%(platform)s no longer lets us in. Log in there again to go on."),
    "forbidden": gettext_lazy("%(platform)s says that this store is not connected to us any more."),
    "not_found": gettext_lazy("%(platform)s does not know this store any more."),
    "application_refused": gettext_lazy("%(platform)s does not accept %(portal)s at the moment. We look after it."),
    "too_much_gone": gettext_lazy(
        "%(platform)s suddenly listed far fewer products than before. We kept what we have, to be safe."
    ),
    "may_not_write": gettext_lazy(
        "The key or login for %(platform)s may not change stock. Give its role there the right to update the catalog."
    ),
    "may_not_read_orders": gettext_lazy(
        "The key or login for %(platform)s may not read orders. Give its role there the right to read and update them."
    ),
    "no_location": gettext_lazy(
        "None of the locations of %(platform)s is in use here, so its stock cannot be counted. We look after it."
    ),
    "stock_off": gettext_lazy("Telling %(platform)s our stock is switched off."),
    "budget": gettext_lazy("We pause for a moment, so that %(platform)s is not asked too often."),
    "bug": gettext_lazy("Something went wrong on our side. We look after it."),
}
OTHER = gettext_lazy("%(platform)s refused to send the products.")
OTHER_ORDERS = gettext_lazy("%(platform)s refused to send the orders.")
OTHER_CALL = gettext_lazy("%(platform)s refused the call.")

ITEM: dict[str, Promise] = {
    "not_found": gettext_lazy("The platform does not list it any more."),
    "not_counted": gettext_lazy("The platform is set not to count the stock of it."),
    "rejected": gettext_lazy("The platform did not accept the number."),
    "unreadable": gettext_lazy("It came without something every product needs, or in a form we cannot read."),
    "unstorable_text": gettext_lazy("A text of it holds a character that cannot be stored."),
    "unreadable_order": gettext_lazy("It came in a form we cannot read."),
    "cannot_be_stored": gettext_lazy("Something in it is too long, or has no form in which it could be stored."),
    "no_sku": gettext_lazy("It has no SKU."),
    "no_name": gettext_lazy("It has no name."),
    "too_long": gettext_lazy("A text of it is too long."),
    "bad_price": gettext_lazy("Its price is not a price."),
    "bad_quantity": gettext_lazy("Its quantity is not a quantity."),
    "bad_measure": gettext_lazy("Its weight, length, width or height is not a size."),
    "bad_country": gettext_lazy("The country it comes from is not a country code of two letters."),
}

PARCEL: dict[str, Promise] = {
    "already_fulfilled": gettext_lazy("%(platform)s says that somebody else has shipped these pieces already."),
    "order_cancelled": gettext_lazy("The order is cancelled at %(platform)s."),
    "order_not_found": gettext_lazy("%(platform)s does not know the order any more."),
    "too_few_there": gettext_lazy(
        "%(platform)s counts too few pieces of it to let them leave. Correct its stock there."
    ),
    "cannot_be_fulfilled": gettext_lazy("%(platform)s is set up so that nobody can note by hand what was shipped."),
    "may_not_change_orders": gettext_lazy(
        "The key or login for %(platform)s may not change orders. Give its role there the right to update them."
    ),
    "no_source": gettext_lazy("The order came without the channel by which %(platform)s knows it."),
}
OTHER_PARCEL = gettext_lazy("%(platform)s does not take the news of its shipment.")

REFUSED: dict[str, Promise] = {
    "sku_in_use": gettext_lazy("The warehouse has another product with this SKU."),
    "product_has_stock": gettext_lazy("It is no longer sold, and some of it still lies there."),
    "validation_error": gettext_lazy("The warehouse does not accept something about it, such as its name or picture."),
}
REFUSED_OTHER = gettext_lazy("The warehouse did not accept it. We try again later.")


def why(run: SyncRun, *, portal: str) -> str:
    """One sentence on what went wrong; empty when nothing did."""
    if not run.error:
        return ""
    other = OTHER_ORDERS if run.kind == SyncRun.Kind.ORDERS else OTHER
    return str(RUN.get(run.error, other)) % {"platform": run.integration.kind.name, "portal": portal}


def what_next(run: SyncRun) -> str:
    """One sentence on what happens now."""
    if run.error == "unauthorized" and not run.is_finished:
        return _what_waits(run)
    if run.state == SyncRun.State.QUEUED and run.error:
        return _("We try again by ourselves. You need not do anything.")
    if run.error == "forbidden" and run.is_finished:
        return _("What had arrived is kept. Connect the store again below.")
    if run.error == "too_much_gone":
        return _("If the shorter list is right, you can accept it below.")
    if run.state == SyncRun.State.FAILED:
        return _("What had arrived is kept, and nothing was removed. We try again later, or you can try now.")
    return ""


def _what_waits(run: SyncRun) -> str:
    if run.kind == SyncRun.Kind.ORDERS:
        return _("New orders come in when you have done so.")
    return _("Your products stay as they are until then.")


def why_untold(code: str, *, platform: str, portal: str) -> str:
    """One sentence on why a platform cannot be told our stock; empty when it can."""
    return str(RUN.get(code, OTHER_CALL)) % {"platform": platform, "portal": portal} if code else ""


def why_parcel(code: str, *, platform: str, portal: str) -> str:
    """One sentence on why a platform could not be told of a parcel; empty when it was."""
    said = PARCEL.get(code) or RUN.get(code, OTHER_PARCEL)
    return str(said) % {"platform": platform, "portal": portal} if code else ""


def why_item(code: str) -> str:
    return str(ITEM.get(code, ITEM["unreadable"]))


def why_refused(code: str) -> str:
    """Why a warehouse does not know a product as it is here."""
    return str(REFUSED.get(code, REFUSED_OTHER))
