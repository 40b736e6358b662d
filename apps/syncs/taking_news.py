"""Taking in what other systems' messages say: of stock, of fulfilments, of orders. One function for each kind of news.

All within the transaction of whoever opens the message. To hear the same again, or late, changes nothing.
"""

from functools import singledispatch
from typing import Any

from apps.api.errors import Problem
from apps.catalog import importing, stocking
from apps.catalog.models import StockMovement
from apps.integrations.connectors.base import StockNews
from apps.integrations.connectors.orders import FulfillmentNews, OrderCancelled, OrderNews
from apps.orders import following, fulfilling, intake
from apps.orders.models import Order
from apps.orders.timeline import said_by
from apps.shops.models import Shop
from apps.webhooks.models import Receipt

from .keeping import LONGEST_DETAIL
from .parking import UNKNOWN_FULFILLMENT, UNKNOWN_ORDER, Failed, Parked, newest, open_again


@singledispatch
def take(news: Any, receipt: Receipt, shop: Shop) -> str:
    """Take in one piece of news of a shop. Returns what came of it, for admins. Raises Parked or Failed."""
    raise Parked("unknown_event")


@take.register
def _(news: StockNews, receipt: Receipt, shop: Shop) -> str:
    """Stock of one SKU. A SKU that is nobody's is held, and counts once it is known."""
    location = receipt.integration.locations.active().order_by("created_at").first()
    if location is None:
        raise Parked("no_location")
    by = stocking.By(
        cause=StockMovement.Cause.RECEIPT,
        actor=str(receipt.integration),
        integration=receipt.integration,
        reference=str(receipt.pk),
        note=importing.legible(news.note, most=LONGEST_DETAIL),
    )
    try:
        [outcome] = stocking.report(location, [_reported(news)], by=by)
    except Problem as problem:
        raise Failed(problem.code, str(problem)) from problem
    if outcome.refused:
        raise Failed(outcome.error or "refused", f"SKU {news.sku}")
    return f"{news.sku}: {outcome.result}"


def _reported(news: StockNews) -> stocking.Reported:
    return stocking.Reported(
        sku=news.sku,
        on_hand=news.on_hand,
        change=news.change if news.on_hand is None else None,
        version=news.version,
        occurred_at=news.occurred_at,
        entry=news.entry,
    )


@take.register
def _(news: FulfillmentNews, receipt: Receipt, shop: Shop) -> str:
    """How far a warehouse is. It may come before we noted that the warehouse has it."""
    try:
        came = fulfilling.take_news(receipt.integration, news, by=said_by(receipt.integration))
    except Problem as problem:
        if problem.code == "fulfillment_not_found":
            raise Parked(UNKNOWN_FULFILLMENT) from problem
        raise Failed(problem.code, str(problem)) from problem
    return f"{news.reference or news.remote_id}: {came}"


@take.register
def _(news: OrderNews, receipt: Receipt, shop: Shop) -> str:
    """An order, new or changed. One that is over before we heard of it is none of ours."""
    told = news.order
    if not receipt.integration.order_sync_enabled:
        raise Parked("orders_off")
    ours = newest(shop, told.ext_order_id, told.ext_fulfillment_order_id)
    if ours is not None:
        changed = following.follow(ours, told, by=said_by(receipt.integration))
        return f"{ours}: {'changed' if changed else 'known'}"
    if told.is_cancelled:
        return f"{told.number or told.ext_order_id}: cancelled"
    intake.take_in(shop, [told], source=Order.Source.WEBHOOK)
    open_again(receipt.integration, UNKNOWN_ORDER)
    return f"{told.number or told.ext_order_id}: new"


@take.register
def _(news: OrderCancelled, receipt: Receipt, shop: Shop) -> str:
    """An order is over at its platform. What has left, or is being picked, goes on, and somebody is told."""
    ours = newest(shop, news.ext_order_id, news.ext_fulfillment_order_id)
    if ours is None:
        raise Parked(UNKNOWN_ORDER)
    followed = following.cancelled_there(ours, by=said_by(receipt.integration))
    return f"{ours}: {'changed' if followed else 'known'}"
