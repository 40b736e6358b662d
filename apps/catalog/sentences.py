"""A line of the ledger in plain words."""

from django.utils.translation import ngettext

from .models import StockMovement

Cause = StockMovement.Cause


def of(movement: StockMovement) -> str:
    """What happened, for people who keep a store."""
    change = movement.on_hand_change
    if movement.cause == Cause.ORDER:
        return _of_order(movement)
    if movement.cause == Cause.RECONCILE:
        return _pieces("put right after comparing", movement.on_hand)
    if movement.is_count:
        return _counted(movement)
    if not change:
        return _of_the_way(movement)
    if movement.cause == Cause.OPERATOR:
        return _pieces("stored" if change > 0 else "picked", abs(change))
    if movement.cause == Cause.FULFILLMENT:
        return _pieces("sent" if change < 0 else "returned", abs(change))
    return _pieces("came" if change > 0 else "went", abs(change))


def _counted(movement: StockMovement) -> str:
    if movement.cause == Cause.OPERATOR:
        return _pieces("counted by hand", movement.on_hand)
    return _pieces("counted", movement.on_hand)


def _of_order(movement: StockMovement) -> str:
    if movement.on_hand_change < 0:
        return _pieces("picked", -movement.on_hand_change)
    kept = movement.reserved_change + movement.reserved_incoming_change
    return _pieces("reserved" if kept > 0 else "released", abs(kept))


def _of_the_way(movement: StockMovement) -> str:
    """Nothing moved on the shelves: it was a promise, or something on its way."""
    if movement.incoming_change:
        return _pieces(
            "expected" if movement.incoming_change > 0 else "expected no more", abs(movement.incoming_change)
        )
    kept = movement.reserved_change + movement.reserved_incoming_change
    return _pieces("reserved" if kept > 0 else "released", abs(kept))


def _pieces(what: str, n: int) -> str:
    said = {
        "stored": ngettext("%(n)d piece stored by hand", "%(n)d pieces stored by hand", n),
        "picked": ngettext("%(n)d piece picked", "%(n)d pieces picked", n),
        "counted by hand": ngettext("Counted by hand: %(n)d piece", "Counted by hand: %(n)d pieces", n),
        "counted": ngettext("The warehouse counted %(n)d piece", "The warehouse counted %(n)d pieces", n),
        "came": ngettext("%(n)d piece came in", "%(n)d pieces came in", n),
        "went": ngettext("%(n)d piece went out", "%(n)d pieces went out", n),
        "sent": ngettext("%(n)d piece sent", "%(n)d pieces sent", n),
        "returned": ngettext("%(n)d piece came back", "%(n)d pieces came back", n),
        "reserved": ngettext("%(n)d piece reserved for an order", "%(n)d pieces reserved for an order", n),
        "released": ngettext("%(n)d piece free again", "%(n)d pieces free again", n),
        "expected": ngettext("%(n)d piece on its way", "%(n)d pieces on their way", n),
        "expected no more": ngettext("%(n)d piece no longer on its way", "%(n)d pieces no longer on their way", n),
        "put right after comparing": ngettext(
            "Put right after comparing: %(n)d piece", "Put right after comparing: %(n)d pieces", n
        ),
    }
    return said[what] % {"n": n}
