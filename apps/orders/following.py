"""Following what a platform says of an order that we have: changed there, or cancelled.

As long as no warehouse has it, it simply becomes what it is there, and is looked at anew. Afterwards what differs is
noted for people to see, and what a warehouse can still change is passed on: tags, notes and destination.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.api.errors import Problem
from apps.audit.trail import Actor
from apps.integrations.connectors.orders import RemoteLine, RemoteOrder

from . import cancelling, changing, intake, revising, timeline
from .models import Fulfillment, Hindrance, Order, OrderLine
from .ringing import ring

Code = Hindrance.Code
CANCELLED_THERE = "Cancelled at the platform"
OVER = (Order.State.FULFILLED, Order.State.CANCELLED, Order.State.CANCELLING)
PICKING = Fulfillment.State.PICKING
CHANGEABLE = ("tags", "notes", "destination")
CONTENT = ("number", "shipping_method", "destination", "customer", "email", "currency", *intake.AMOUNTS)
LINE = ("sku", "quantity", "name", "ext_product_id", "ext_variant_id", "price")
IDENTITY = ("sku", "ext_product_id", "ext_variant_id")  # by which a line's product is found


@transaction.atomic
def follow(order: Order, told: RemoteOrder, *, by: Actor) -> bool:
    """What its platform says of it now. False when that is what it said before, or the order is over; then nothing
    comes of it.
    """
    order = changing.lock(order.pk)
    digest = intake.digest_of(told)
    if order.digest == digest:
        return False
    if _is_older(told, order):
        return False
    Order.objects.filter(pk=order.pk).update(digest=digest, changed_there_at=told.changed_at)
    if order.state in OVER:
        return False
    if told.is_cancelled:
        _cancel(order, by=by)
    elif is_handed_over(order):
        _pass_on(order, told, by=by)
    else:
        _become(order, told, by=by)
    return True


def _is_older(told: RemoteOrder, order: Order) -> bool:
    """Messages may overtake each other: what its platform said before something that we know already is over."""
    return bool(told.changed_at and order.changed_there_at and told.changed_at < order.changed_there_at)


@transaction.atomic
def cancelled_there(order: Order, *, by: Actor) -> bool:
    """Its platform says that it is over, and nothing else of it. False when it is over here, too."""
    order = changing.lock(order.pk)
    if order.state in OVER:
        return False
    _cancel(order, by=by)
    return True


def is_handed_over(order: Order) -> bool:
    """Whether a warehouse may know of it, people pick it, or something has left. Its fulfilments are locked then."""
    begun = [one for one in cancelling.live_of(order) if cancelling.may_be_there(one) or one.state == PICKING]
    return bool(begun) or order.lines.filter(shipped__gt=0).exists()


def _cancel(order: Order, *, by: Actor) -> None:
    """What a warehouse has it is asked to stop. People hear of it whatever it answers."""
    late = is_handed_over(order)
    try:
        with transaction.atomic():
            cancelling.cancel(order, by=by, reason=CANCELLED_THERE)
    except Problem:
        late = True
    if late:
        _flag(order, Code.CANCELLED_LATE, by=by)


def _become(order: Order, told: RemoteOrder, *, by: Actor) -> None:
    """All that the platform says of it. What was reserved is given back, until somebody has looked at it anew."""
    content = _content(order, told)
    fields = [name for name in CHANGEABLE if content[name] != getattr(order, name)] + list(_differences(order, told))
    cancelling.drop(order, cancelling.live_of(order), by=by)
    _rewrite_lines(order, told.lines)
    changing.settle(order, **content, due_at=timezone.now(), tries=0)
    timeline.record(order, "edited", by=by, fields=fields)
    transaction.on_commit(ring, robust=True)


def _content(order: Order, told: RemoteOrder) -> dict[str, Any]:
    """Tags and notes that people gave it here stay when the platform tells none: it may not know such things."""
    row = intake.row(told, pk=order.pk, source=order.source)
    own = {"tags": list(told.tags) or order.tags, "notes": told.notes or order.notes, "placed_at": told.placed_at}
    return {name: row[name] for name in CONTENT} | own


def _rewrite_lines(order: Order, told: Sequence[RemoteLine]) -> None:
    """What is on no line any more is cancelled on ours: fulfilments of before still name it."""
    ours, theirs = _keyed(order.lines.all()), _keyed(told)
    for key, line in ours.items():
        if key not in theirs:
            line.cancelled = line.quantity
            line.save(update_fields=["cancelled"])
    last = max((line.position for line in ours.values()), default=-1)
    for key, line in theirs.items():
        if key in ours:
            _rewrite(ours[key], line)
        else:
            last += 1
            _new_line(order, line, position=last)


def _keyed(lines: Iterable[Any]) -> dict[tuple[str, int], Any]:
    """By the platform's own id of each; those that share one, or have none, by their order too."""
    keyed: dict[tuple[str, int], Any] = {}
    seen: Counter[str] = Counter()
    for line in lines:
        keyed[line.ext_line_id, seen[line.ext_line_id]] = line
        seen[line.ext_line_id] += 1
    return keyed


def _rewrite(line: OrderLine, told: RemoteLine) -> None:
    """Another SKU may be another product: that is found anew."""
    if any(getattr(line, name) != getattr(told, name) for name in IDENTITY):
        line.product, line.is_excluded = None, False
    for name in LINE:
        setattr(line, name, getattr(told, name))
    line.cancelled = 0
    line.save(update_fields=[*LINE, "product", "is_excluded", "cancelled"])


def _new_line(order: Order, told: RemoteLine, *, position: int) -> None:
    values = {name: getattr(told, name) for name in (*LINE, "ext_line_id")}
    OrderLine.objects.create(organization_id=order.organization_id, order=order, position=position, **values)


def _pass_on(order: Order, told: RemoteOrder, *, by: Actor) -> None:
    """Tags, notes and destination go on to the warehouses; what else differs is for people to see."""
    content = _content(order, told)
    revising.revise(order, {name: content[name] for name in CHANGEABLE}, by=by)
    if differences := _differences(order, told):
        _flag(order, Code.EDITED_LATE, by=by, **differences)
    else:
        order.hindrances.filter(code=Code.EDITED_LATE).delete()


def _differences(order: Order, told: RemoteOrder) -> dict[str, Any]:
    """What a warehouse cannot change any more, as pairs of ours and theirs: pieces by SKU, and the shipping method."""
    ours, theirs = Counter[str](), Counter[str]()
    for line in order.lines.all():
        ours[line.sku] += line.quantity - line.cancelled
    for wanted in told.lines:
        theirs[wanted.sku] += wanted.quantity
    pieces = {sku: [ours[sku], theirs[sku]] for sku in sorted(ours | theirs) if ours[sku] != theirs[sku]}
    found: dict[str, Any] = {"lines": pieces} if pieces else {}
    if order.shipping_method != told.shipping_method:
        found["shipping_method"] = [order.shipping_method, told.shipping_method]
    return found


def _flag(order: Order, code: str, *, by: Actor, **detail: Any) -> None:
    """Says so; it does not hold the order."""
    named: dict[str, Any] = {"organization_id": order.organization_id, "code": code, "ref": ""}
    order.hindrances.update_or_create(**named, defaults={"who": Hindrance.Who.OPERATOR, "detail": detail})
    timeline.record(order, code, by=by, **detail)
