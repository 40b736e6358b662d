"""Talking to Otter's Public API (contracts part 3). HTTP only."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

import requests

from ..apart import put_apart
from ..base import (
    Page,
    Rejected,
    RemoteBrand,
    RemoteOrganization,
    RemoteProduct,
    RemoteStore,
    StockRow,
    StoreRef,
    Unauthorized,
    Unopened,
    Webhook,
)
from ..http import fetch, json_of
from ..orders import ParcelNote
from . import mapping, ordering

PAGE = 100
ROOT = "/organization/v1/organization"
AVAILABILITY = "/manager/menu/v1/menus/entities/availability"
SOURCES = "/manager/order/v1/sources"


class OtterClient:
    """`session` carries the owner's token (organization calls), `application` our own (catalog, manager.…)."""

    def __init__(self, session: requests.Session, *, address: str, application: requests.Session | None = None) -> None:
        self.session, self.address, self.application = session, address, application

    def _call(
        self, method: str, path: str, *, session: requests.Session | None = None, **kwargs: Any
    ) -> requests.Response:
        headers = {"Accept": "application/json"} | kwargs.pop("headers", {})
        return fetch(session or self.session, method, self.address + path, headers=headers, **kwargs)

    def _list(self, path: str, cursor: str) -> Any:
        return json_of(self._call("GET", path, params=_page_at(cursor)))

    def organization(self) -> RemoteOrganization:
        return mapping.organization(json_of(self._call("GET", ROOT)))

    def brands(self, cursor: str = "") -> Page[RemoteBrand]:
        return mapping.page(self._list(f"{ROOT}/brands", cursor), mapping.brand)

    def stores(self, brand_id: str, cursor: str = "") -> Page[RemoteStore]:
        return mapping.page(self._list(f"{ROOT}/brands/{quote(brand_id, safe='')}/stores", cursor), mapping.store)

    def store(self, brand_id: str, store_id: str) -> RemoteStore:
        return mapping.one_store(json_of(self._call("GET", _path(StoreRef(brand_id, store_id)))))

    def connection(self, store: StoreRef) -> str | None:
        """The id of ours that the store is connected under; None (a 404) when it is not connected."""
        try:
            response = self._call("GET", _path(store) + "/connection")
        except Rejected as rejected:
            if rejected.status == 404:
                return None
            raise
        return mapping.connected_as(json_of(response))

    def connect(self, store: StoreRef) -> None:
        """Raises Rejected with status 409 when the store is connected already, under whatever id."""
        self._call("POST", _path(store) + "/connection", json={"storeId": store.ext_shop_id})

    def disconnect(self, store: StoreRef) -> None:
        """Afterwards there is no connection, whether or not there was one."""
        try:
            self._call("DELETE", _path(store) + "/connection")
        except Rejected as rejected:
            if rejected.status != 404:
                raise

    def products(self, store: StoreRef, cursor: str = "") -> Page[RemoteProduct]:
        return self.unopened_products(store, cursor).read()

    def unopened_products(self, store: StoreRef, cursor: str = "") -> Unopened[RemoteProduct]:
        answer = self._as_store(store, "GET", "/inventories/v1/summaries", params=_page_at(cursor))
        return Unopened(answer.content, lambda: mapping.products(json_of(answer)))

    def put_stock(self, store: StoreRef, rows: Sequence[StockRow]) -> list[str]:
        """What there is none of is suspended, the rest unsuspended: Otter takes no number (contracts 3.1, menus).

        Its items bear the ids of the seller's own system, which are their SKUs. That Otter took the call is all that is
        known: it works on it afterwards.
        """
        codes: dict[int, str] = {}
        for is_there in (False, True):
            places = [n for n, row in enumerate(rows) if bool(row.quantity) == is_there]
            chosen = [rows[n] for n in places]
            taken = put_apart(chosen, partial(self._offer, store, is_there=is_there)) if chosen else []
            codes |= dict(zip(places, taken, strict=True))
        return [codes[n] for n in range(len(rows))]

    def _offer(self, store: StoreRef, rows: Sequence[StockRow], *, is_there: bool) -> None:
        verb, body = mapping.availability(rows, is_there=is_there)
        self._as_store(store, "POST", f"{AVAILABILITY}/{verb}", json=body)

    def put_parcel(self, store: StoreRef, parcel: ParcelNote) -> str:
        """Otter knows orders only, no parcels and no tracking: the last parcel hands the whole order off, none before.

        That it took the call is all that is known: it works on it afterwards. Raises Rejected: order_not_found;
        no_source for an order that came without the source, by which alone Otter knows its orders.
        """
        source, order_id = ordering.source_and_id(parcel.ext_order_id)
        if not source:
            raise Rejected("The order came without its source.", code="no_source")
        if parcel.is_last:
            path = f"{SOURCES}/{quote(source, safe='')}/orders/{quote(order_id, safe='')}/fulfill"
            self._as_store(store, "POST", path, code_of=_code_for_order)
        return order_id

    @staticmethod
    def verify(headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str]) -> Webhook:
        return ordering.verify(headers, body, secrets=secrets)

    @staticmethod
    def news(event_type: str, body: bytes) -> ordering.News | None:
        return ordering.news(event_type, body)

    def _as_store(self, store: StoreRef, method: str, path: str, **kwargs: Any) -> requests.Response:
        """A store-scoped call: our application's token, and the store named by our own id for it.

        Raises Unauthorized with code application_refused, as no owner gave this permission.
        """
        headers = {"X-Store-Id": store.ext_shop_id}
        try:
            return self._call(method, path, session=self.application, headers=headers, **kwargs)
        except Unauthorized as refused:
            raise Unauthorized(str(refused), code="application_refused") from refused


def _code_for_order(response: requests.Response) -> str:
    return "order_not_found" if response.status_code == 404 else ""


def _page_at(cursor: str) -> dict[str, Any]:
    return {"limit": PAGE} | ({"token": cursor} if cursor else {})


def _path(store: StoreRef) -> str:
    return f"{ROOT}/brands/{quote(store.brand_id, safe='')}/stores/{quote(store.store_id, safe='')}"
