"""What somebody at the port does about a fulfilment (contracts 1.7): start it, send pieces of it, or reject it.

Whatever leaves lowers the stock and tells the shops of it, as every other pick does; then the fulfilment's own shop is
told. Closed, a fulfilment never changes again (behaviour 78).
"""

from collections.abc import Mapping

from django.utils import timezone

from apps.sandbox.pio.fulfillments import changed
from apps.sandbox.pio.models import Fulfillment, OrderLine, Parcel
from apps.sandbox.pio.moving import NotThere, take_reserved
from apps.sandbox.pio.reserving import release
from apps.sandbox.pio.turns import writing

State = Fulfillment.State


class NotNow(Exception):
    """The fulfilment is not in a state for that. The text is for whoever stands at the port."""


def start(fulfillment: Fulfillment) -> None:
    """Somebody begins to pick: from now on the order cannot be deleted. Raises NotNow."""
    with writing():
        current = living(fulfillment)
        if current.state != State.OPEN:
            raise NotNow("Somebody is picking it already.")
        changed(current, state=State.PICKING)


def send(
    fulfillment: Fulfillment,
    *,
    pieces: Mapping[int, int] | None = None,
    rest_follows: bool = False,
    carrier: str = "",
    number: str = "",
    url: str = "",
) -> None:
    """Send a parcel with so many `pieces` by id of the line, of everything that is left unless given.

    Unless the rest follows, the fulfilment is closed and what is not sent is available again. Raises NotNow, or
    NotThere when a piece does not lie there; then nothing is sent.
    """
    with writing():
        current = living(fulfillment)
        lines = lines_of(current)
        contents = taken(lines, pieces={line.pk: line.left for line in lines} if pieces is None else pieces)
        tracking = {"carrier": carrier, "number": number, "url": url, "version": current.version + 1}
        Parcel.objects.create(fulfillment=current, lines=contents, shipped_at=timezone.now(), **tracking)
        is_all = not any(line.left for line in lines)
        is_closed = is_all or not rest_follows
        if is_closed:
            release(lines)
        changed(current, state=State.FULFILLED if is_all else State.PARTLY_FULFILLED, is_closed=is_closed)


def end(fulfillment: Fulfillment, *, reason: str) -> None:
    """Nothing more will be picked: rejected, or partly fulfilled for good when something has left. Raises NotNow."""
    with writing():
        current = living(fulfillment)
        release(lines_of(current))
        has_left = current.state == State.PARTLY_FULFILLED
        changed(current, state=current.state if has_left else State.REJECTED, is_closed=True, reason=reason)


def living(fulfillment: Fulfillment) -> Fulfillment:
    """The fulfilment as it is now. Raises NotNow when it is closed or blocked."""
    current = Fulfillment.objects.select_related("order").get(pk=fulfillment.pk)
    if current.is_closed:
        raise NotNow(f"It is {current.get_state_display().lower()}, and that is final.")
    if current.is_blocked and current.state == State.OPEN:
        raise NotNow("A priority rule blocks it.")
    return current


def lines_of(fulfillment: Fulfillment) -> list[OrderLine]:
    return list(fulfillment.order.lines.order_by("pk").select_related("product"))


def taken(lines: list[OrderLine], *, pieces: Mapping[int, int]) -> list[dict]:
    """Take the pieces from where they lie: the contents of the parcel. Raises NotNow, NotThere."""
    wanted = [(line, pieces.get(line.pk, 0)) for line in lines]
    for line, quantity in wanted:
        if not 0 <= quantity <= line.left:
            raise NotNow(f"Of {line.sku} between 0 and {line.left} can be sent.")
    contents = [contents_of(line, quantity=quantity) for line, quantity in wanted if quantity]
    if not contents:
        raise NotNow("Nothing was picked: send at least one piece, or reject it.")
    return contents


def contents_of(line: OrderLine, *, quantity: int) -> dict:
    """Take so many pieces of the line. Raises NotThere."""
    if line.product is None:
        raise NotThere(f"Nobody knows {line.sku} any more.")
    take_reserved(line.product, quantity=quantity)
    line.sent += quantity
    line.save(update_fields=["sent"])
    return {"sku": line.sku, "ext_order_line_item_id": line.ext_order_line_item_id, "quantity": quantity}
