"""Talking to Pio (contracts part 1). HTTP only."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import requests

from ..base import (
    ConnectorError,
    Handed,
    Page,
    Rejected,
    RemoteOrganization,
    RemoteStock,
    StoreRef,
    Subscription,
    Taken,
    Unauthorized,
    Unreachable,
    Webhook,
)
from ..http import fetch, json_of
from ..orders import FulfillmentPage, HandedOrder, RemoteService
from . import mapping

PAGE = 200
ROOT = "/api/v1"
NO_ORDER = "order_not_found"
NOT_THERE = {"not_found", "shop_not_found", "product_not_found", "hook_not_found"}
NO_TOKEN = "could_not_validate_credentials"  # noqa: S105 - a code: Pio says 403 where others say 401


class PioClient:
    """`session` carries a shop's own token, which knows of no other shop (behaviour 48) and never expires."""

    def __init__(self, session: requests.Session, *, address: str, application: requests.Session | None = None) -> None:
        self.session, self.address = session, address

    def _call(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        headers = {"Accept": "application/json"}
        try:
            return fetch(
                self.session, method, self.address + ROOT + path, code_of=mapping.code, headers=headers, **kwargs
            )
        except Rejected as rejected:
            if rejected.code == NO_TOKEN:
                raise Unauthorized(str(rejected)) from rejected
            raise

    def _shop(self) -> Any:
        """The token's shop; None before it has one."""
        try:
            return json_of(self._call("GET", "/shops/self"))
        except Rejected as rejected:
            if rejected.code in NOT_THERE or rejected.status == 404:
                return None
            raise

    def organization(self) -> RemoteOrganization:
        return mapping.organization(self._shop())

    def connection(self, store: StoreRef) -> str | None:
        """The id of ours that the token's shop has; None before it has one."""
        shop = self._shop()
        return None if shop is None else mapping.connected_as(shop)

    def connect(self, store: StoreRef) -> None:
        """Open the token's one shop (behaviour 46). Raises Rejected: id_taken with status 409 for a taken id."""
        body = {"name": store.name or store.ext_shop_id, "ext_shop_id": store.ext_shop_id}
        try:
            self._call("POST", "/shops", json=body)
        except Rejected as rejected:
            if rejected.code != "id_taken":
                raise
            raise Rejected(str(rejected), code="id_taken", status=409) from rejected

    def disconnect(self, store: StoreRef) -> None:
        """Afterwards there are neither hooks nor a shop, whether or not there were. The token dies with the shop."""
        if self._shop() is None:
            return
        for hook in self._hooks():
            self._gone(f"/hooks/{quote(hook['id'], safe='')}")
        self._gone("/shops/self")

    def _gone(self, path: str) -> None:
        try:
            self._call("DELETE", path)
        except Rejected as rejected:
            if rejected.status != 404:
                raise

    def _hooks(self) -> list[dict[str, str]]:
        return mapping.hooks(json_of(self._call("GET", "/hooks")))

    def subscribe(self, store: StoreRef, address: str) -> Subscription:
        """Afterwards each event about stock and fulfilments is sent to this address, whatever was asked for before."""
        there = {hook["event_type"]: hook for hook in self._hooks()}
        events = mapping.STOCK_EVENTS + mapping.FULFILLMENT_EVENTS
        made = tuple(event for event in events if self._ask_for(event, there.get(event), address))
        return Subscription(events, made)

    def _ask_for(self, event: str, hook: dict[str, str] | None, address: str) -> bool:
        """Whether it was not asked for before."""
        body = {"event_type": event, "target_url": address}
        if hook is None:
            self._call("POST", "/hooks", json=body)
        elif hook["target_url"] != address:
            self._call("PUT", f"/hooks/{quote(hook['id'], safe='')}", json=body)
        return hook is None or hook["target_url"] != address

    def put_products(self, store: StoreRef, items: Sequence[Handed]) -> list[Taken]:
        """One call for each, one after the other on one connection: Pio has no call for many (contracts 1.5)."""
        return _each(items, self._put)

    def _put(self, item: Handed) -> Taken:
        body = mapping.product_body(item.product)
        if item.remote_id:
            with suppress(_NotThere):
                return self._made("PUT", f"/products/{quote(item.remote_id, safe='')}", body)
        return self._made("POST", "/products", body)

    def _made(self, method: str, path: str, body: dict[str, Any]) -> Taken:
        try:
            return Taken(mapping.remote_id(json_of(self._call(method, path, json=body))))
        except Rejected as rejected:
            if method == "PUT" and rejected.code == "product_not_found":
                raise _NotThere from rejected
            raise

    def drop_products(self, store: StoreRef, remote_ids: Sequence[str]) -> list[Taken]:
        """Of one that still lies there, the answer is Rejected, code product_has_stock (behaviour 65)."""
        return _each(remote_ids, self._drop)

    def _drop(self, remote_id: str) -> Taken:
        self._gone(f"/products/{quote(remote_id, safe='')}")
        return Taken(remote_id)

    def stock(self, store: StoreRef, cursor: str = "") -> Page[RemoteStock]:
        """The stock of the token's shop, page by page (a gap in what Pio publishes; agreed with its simulator)."""
        params = {"limit": str(PAGE)} | ({"cursor": cursor} if cursor else {})
        return mapping.inventory(json_of(self._call("GET", "/inventory", params=params)))

    def put_order(self, store: StoreRef, order: HandedOrder) -> str:
        """Raises Rejected: order_already_exists, product_not_found (an unknown SKU), validation_error or other."""
        return mapping.remote_id(json_of(self._call("POST", "/orders", json=mapping.order_body(order))))

    def find_order(self, store: StoreRef, reference: str) -> str | None:
        """One that was deleted there is not found: its reference is free again."""
        params = {"ext_fulfillment_order_id": reference}
        return mapping.order_id(json_of(self._call("GET", "/orders", params=params)), reference=reference)

    def change_order(self, store: StoreRef, order: HandedOrder) -> None:
        """Raises Rejected: order_not_found, order_already_fulfilled or other."""
        found = self._order_id(store, order)
        if found is None:
            raise Rejected("Pio has no order with this reference.", code=NO_ORDER, status=404)
        answer = self._call("PUT", f"/orders/{quote(found, safe='')}", json=mapping.order_changes(order))
        mapping.remote_id(json_of(answer))

    def cancel_order(self, store: StoreRef, order: HandedOrder) -> None:
        found = self._order_id(store, order)
        if found is None:
            return
        try:
            answer = self._call("DELETE", f"/orders/{quote(found, safe='')}")
        except Rejected as rejected:
            if rejected.code != NO_ORDER:
                raise
        else:
            _check_done(answer)

    def _order_id(self, store: StoreRef, order: HandedOrder) -> str | None:
        return order.remote_id or self.find_order(store, order.reference)

    def fulfillments(self, store: StoreRef, cursor: str = "") -> FulfillmentPage:
        """The fulfilments of the token's shop (a gap in what Pio publishes; agreed with its simulator)."""
        params = {"limit": str(PAGE)} | mapping.fulfillments_query(cursor)
        return mapping.fulfillments(json_of(self._call("GET", "/fulfillments", params=params)), cursor=cursor)

    def services(self, store: StoreRef) -> list[RemoteService]:
        """Pio's shipping rates (a gap as well)."""
        return mapping.services(json_of(self._call("GET", "/shipping_rates")))

    @staticmethod
    def verify(headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str]) -> Webhook:
        return mapping.verify(headers, body, secrets=secrets, now=datetime.now(UTC))

    @staticmethod
    def news(event_type: str, body: bytes) -> list[Any] | None:
        return mapping.news(event_type, body)


def _check_done(answer: requests.Response) -> None:
    """Raises Unreachable for any other success than 204: whoever sends a page has not stopped anything."""
    if answer.status_code != 204:
        raise Unreachable(f"Pio answered {answer.status_code} where it says 204.", code="garbled")


class _NotThere(Exception):
    """Pio has thrown the product away since: it is made anew."""


def _each[Item](items: Iterable[Item], do: Any) -> list[Taken]:
    """What became of each; a refusal is of one, silence or a lost permission ends them all."""
    answers: list[Taken] = []
    for item in items:
        try:
            answers.append(do(item))
        except ConnectorError as error:
            answers.append(Taken(failure=error))
            if isinstance(error, Unreachable | Unauthorized):
                break
    return answers
