"""Talking to Otter's Public API (contracts part 3). HTTP only."""

from typing import Any
from urllib.parse import quote

import requests

from ..base import Page, Rejected, RemoteBrand, RemoteOrganization, RemoteProduct, RemoteStore, StoreRef, Unauthorized
from ..http import fetch, json_of
from . import mapping

PAGE = 100
ROOT = "/organization/v1/organization"


class OtterClient:
    """`session` carries the owner's token (organization calls), `application` our own (scope catalog)."""

    def __init__(self, session: requests.Session, *, address: str, application: requests.Session | None = None) -> None:
        self.session, self.address, self.application = session, address, application

    def _call(
        self, method: str, path: str, *, session: requests.Session | None = None, **kwargs: Any
    ) -> requests.Response:
        headers = {"Accept": "application/json"} | kwargs.pop("headers", {})
        return fetch(session or self.session, method, self.address + path, headers=headers, **kwargs)

    def _list(self, path: str, cursor: str, **kwargs: Any) -> Any:
        params = {"limit": PAGE} | ({"token": cursor} if cursor else {})
        return json_of(self._call("GET", path, params=params, **kwargs))

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
        """A store-scoped call: our application's token, and the store named by our own id for it.

        Raises Unauthorized with code application_refused, as no owner gave this permission.
        """
        headers = {"X-Store-Id": store.ext_shop_id}
        try:
            data = self._list("/inventories/v1/summaries", cursor, session=self.application, headers=headers)
        except Unauthorized as refused:
            raise Unauthorized(str(refused), code="application_refused") from refused
        return mapping.products(data)


def _path(store: StoreRef) -> str:
    return f"{ROOT}/brands/{quote(store.brand_id, safe='')}/stores/{quote(store.store_id, safe='')}"
