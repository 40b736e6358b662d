"""Vendure's Admin API: GraphQL over POST {address}/admin-api, as published with @vendure/core 3.7."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import requests

from ..apart import put_apart
from ..base import (
    Page,
    Rejected,
    RemoteBrand,
    RemoteOrganization,
    RemoteProduct,
    RemoteStock,
    RemoteStore,
    StockRow,
    StoreRef,
    Unauthorized,
    Unreachable,
)
from ..http import fetch, json_of
from ..orders import OrderPage, ParcelNote, RemoteService
from . import mapping, ordering

PATH = "/admin-api"
PAGE = 100

LOG_IN = """mutation ($username: String!, $password: String!) {
  login(username: $username, password: $password) { __typename ... on ErrorResult { errorCode } }
}"""
SERVER = "query { activeChannel { token } }"
CHANNELS = """query ($skip: Int!, $take: Int!) {
  channels(options: {skip: $skip, take: $take, sort: {id: ASC}}) {
    totalItems items { id code token seller { id name } }
  }
}"""
CHANNEL = "query ($id: ID!) { channel(id: $id) { id code token seller { id name } } }"
VARIANTS = """query ($skip: Int!, $take: Int!) {
  globalSettings { trackInventory serverConfig { moneyStrategyPrecision } }
  productVariants(options: {skip: $skip, take: $take, sort: {id: ASC}}) {
    totalItems
    items {
      id productId sku name price currencyCode trackInventory
      featuredAsset { preview } product { featuredAsset { preview } }
      stockLevels { stockOnHand stockAllocated }
    }
  }
}"""

STOCK = """query ($ids: [String!]!, $take: Int!) {
  globalSettings { trackInventory }
  productVariants(options: {filter: {id: {in: $ids}}, take: $take}) {
    items { id trackInventory stockLevels { stockLocationId stockOnHand stockAllocated } }
  }
}"""
PUT_STOCK = """mutation ($input: [UpdateProductVariantInput!]!) {
  updateProductVariants(input: $input) { id }
}"""

ORDERS = """query ($filter: OrderFilterParameter!, $skip: Int!, $take: Int!) {
  globalSettings { serverConfig { moneyStrategyPrecision } }
  orders(options: {filter: $filter, skip: $skip, take: $take, sort: {orderPlacedAt: ASC, id: ASC}}) {
    items {
      id code state updatedAt orderPlacedAt currencyCode total totalWithTax shippingWithTax
      discounts { amountWithTax }
      customer { firstName lastName emailAddress phoneNumber }
      shippingAddress { fullName company streetLine1 streetLine2 city province postalCode countryCode phoneNumber }
      shippingLines { shippingMethod { name } }
      lines { id quantity orderPlacedQuantity unitPriceWithTax productVariant { id productId sku name } }
      fulfillments { state method lines { orderLineId quantity } }
    }
  }
}"""
FULFILLMENTS = "query ($id: ID!) { order(id: $id) { state fulfillments { id state method } } }"
FULFIL = """mutation ($input: FulfillOrderInput!) {
  addFulfillmentToOrder(input: $input) {
    __typename
    ... on Fulfillment { id state }
    ... on ErrorResult { message }
    ... on CreateFulfillmentError { reason: fulfillmentHandlerError }
    ... on FulfillmentStateTransitionError { reason: transitionError }
  }
}"""
SHIP = """mutation ($id: ID!) {
  transitionFulfillmentToState(id: $id, state: "Shipped") {
    __typename
    ... on Fulfillment { id }
    ... on FulfillmentStateTransitionError { message reason: transitionError }
  }
}"""
SERVICES = "query { shippingMethods(options: {take: 100, sort: {id: ASC}}) { items { code name } } }"


class VendureClient:
    """One Vendure server, as one administrator or API key sees it.

    `session` carries the key and sets the limits. Every method raises Unreachable, Rejected or Unauthorized.
    """

    def __init__(self, session: requests.Session, *, address: str, application: Any = None) -> None:
        self.session = session
        self.address = address.rstrip("/").removesuffix(PATH)

    def log_in(self, username: str, password: str) -> str:
        """The session token of an administrator; Vendure sends it in a header, not in the answer's body."""
        response = self._post(LOG_IN, {"username": username, "password": password})
        if not self._understand(response, mapping.is_logged_in):
            raise Unauthorized("The shop does not know this user name and password.")
        try:
            return response.headers["vendure-auth-token"]
        except KeyError:
            detail = "The shop keeps logins in cookies only; it needs the tokenMethod bearer."
            raise Rejected(detail, code="no_session_token") from None

    def organization(self) -> RemoteOrganization:
        """The server itself, known by the token of its default channel."""
        return self._call(SERVER, lambda data: mapping.organization(data, address=self.address))

    def brands(self, cursor: str = "") -> Page[RemoteBrand]:
        """The sellers of one page of channels; a seller comes again when its channels are on several pages.

        Read from the channels: the list of sellers needs a permission that Vendure's own roles do not hold.
        """
        return mapping.brands(self._channels(skip=mapping.offset(cursor)))

    def stores(self, brand_id: str, cursor: str = "") -> Page[RemoteStore]:
        """The seller's channels among one page of channels: a page may be empty and not the last."""
        return mapping.stores(self._channels(skip=mapping.offset(cursor)), brand_id=brand_id)

    def store(self, brand_id: str, store_id: str) -> RemoteStore:
        channel = self._channel(store_id)
        if channel.brand.id != brand_id:
            raise Rejected(f"Channel {store_id} is not of seller {brand_id}.", code="not_found")
        return channel.store

    def products(self, store: StoreRef, cursor: str = "") -> Page[RemoteProduct]:
        """The variants of the store's channel, deleted ones left out, by id.

        Vendure pages by position only. Where the total has shrunk since the page before, the rest may have moved
        up by as many, so reading goes on from that much further back: some come twice, none is missed.
        """
        channel_token = self._channel(store.store_id).token
        place = mapping.Place.of(cursor)
        page = self._variants(channel_token, skip=place.read)
        while (gone := place.total - page.total) > 0:
            place = place.without(gone)
            page = self._variants(channel_token, skip=place.read)
        return mapping.products(page)

    def stock(self, store: StoreRef, cursor: str = "") -> Page[RemoteStock]:
        """What may still be sold of each variant whose stock the server counts."""
        page = self.products(store, cursor)
        return Page(mapping.stock(page.items), next_cursor=page.next_cursor, total=page.total)

    def put_stock(self, store: StoreRef, rows: Sequence[StockRow]) -> list[str]:
        """Make each variant's available stock in the store's channel what we say it is.

        Vendure takes the pieces on hand and subtracts what its own orders have allocated; these are read first, and
        added. An order or a shipment there in the moment between shows with the next change of ours.
        """
        channel_token = self._channel(store.store_id).token
        ids = [row.ext_variant_id for row in rows]
        codes, changes = self._call(
            STOCK, lambda data: mapping.stock_changes(data, rows), channel_token=channel_token, ids=ids, take=len(ids)
        )
        if changing := [row for row in rows if row.ext_variant_id in changes]:
            taken = put_apart(changing, lambda part: self._change(part, changes, channel_token=channel_token))
            codes |= {row.ext_variant_id: code for row, code in zip(changing, taken, strict=True)}
        return [codes[row.ext_variant_id] for row in rows]

    def _change(self, rows: Sequence[StockRow], changes: Mapping[str, Any], *, channel_token: str) -> None:
        """Raises Rejected (may_not_write): the key reads, but has no permission to update the catalog."""
        wanted = [changes[row.ext_variant_id] for row in rows]
        with _refused_as(code="may_not_write"):
            self._call(PUT_STOCK, mapping.updated, channel_token=channel_token, input=wanted)

    def orders(self, store: StoreRef, cursor: str = "") -> OrderPage:
        """The orders of the store's channel that are paid and have something to ship, by when they were placed.

        All of them each time, those placed up to 30 days before the first reading: Vendure does not date its changes.
        Its `updatedAt` stays as it is when a payment is settled or an address changes (seen with 3.7.3).
        Raises Rejected (may_not_read_orders).
        """
        place = ordering.Place.of(cursor)
        return self._orders(
            store,
            lambda data: ordering.page(data, place, store=store, take=PAGE),
            filter=place.filter,
            skip=place.skip,
            take=PAGE,
        )

    @staticmethod
    def orders_since(moment: datetime) -> str:
        """Those placed from then on, that are open."""
        return str(ordering.Place(moment, moment))

    def orders_named(self, store: StoreRef, ids: Sequence[str]) -> OrderPage:
        """These orders, whatever became of them; but for those that are being changed, or are not there any more."""
        return self._orders(
            store,
            lambda data: ordering.orders(data, store=store),
            filter=ordering.named(ids),
            skip=0,
            take=len(ids),
        )

    def _orders(self, store: StoreRef, read: Callable[[dict[str, Any]], OrderPage], **asked: Any) -> OrderPage:
        channel_token = self._channel(store.store_id).token
        with _refused_as(code="may_not_read_orders"):
            return self._call(ORDERS, read, channel_token=channel_token, **asked)

    def put_parcel(self, store: StoreRef, parcel: ParcelNote) -> str:
        """The id of the fulfillment there, which is made and marked as shipped, unless it is already.

        Vendure makes it in one call and has it leave in another; one that came no further than the first is found
        by our mark. Raises Rejected: order_not_found, order_cancelled, already_fulfilled, too_few_there,
        cannot_be_fulfilled, may_not_change_orders.
        """
        channel_token = self._channel(store.store_id).token
        with _refused_as(code="may_not_change_orders"):
            known = self._call(
                FULFILLMENTS,
                lambda data: ordering.fulfillment_of(data, parcel, store=store),
                channel_token=channel_token,
                id=parcel.ext_order_id,
            )
            made = known or self._fulfil(ordering.fulfillment_input(parcel, store=store), channel_token=channel_token)
            if made["state"] in ordering.HAS_LEFT:
                return made["id"]
            return self._call(SHIP, ordering.shipped, channel_token=channel_token, id=made["id"])

    def _fulfil(self, wanted: Mapping[str, Any], *, channel_token: str) -> dict[str, Any]:
        return self._call(FULFIL, ordering.fulfilled, channel_token=channel_token, input=wanted)

    def services(self, store: StoreRef) -> list[RemoteService]:
        """What the shop's customers choose from. It needs no permission that reading products does not need."""
        return self._call(SERVICES, ordering.services, channel_token=self._channel(store.store_id).token)

    def can_read(self) -> bool:
        """Whether this key may read both channels and variants; it needs ReadCatalog and ReadSettings."""
        try:
            self._channels(skip=0, take=1)
            self._variants("", skip=0, take=1)
        except Unauthorized:
            return False
        return True

    def _channel(self, store_id: str) -> mapping.Channel:
        channel = self._call(CHANNEL, mapping.channel, id=store_id)
        if channel is None:
            raise Rejected(f"There is no channel {store_id}.", code="not_found")
        return channel

    def _channels(self, *, skip: int, take: int = PAGE) -> mapping.Channels:
        return self._call(CHANNELS, lambda data: mapping.channels(data, skip=skip), skip=skip, take=take)

    def _variants(self, channel_token: str, *, skip: int, take: int = PAGE) -> mapping.Variants:
        return self._call(
            VARIANTS,
            lambda data: mapping.variants(data, skip=skip),
            channel_token=channel_token,
            skip=skip,
            take=take,
        )

    def _call[Result](
        self,
        document: str,
        read: Callable[[dict[str, Any]], Result],
        *,
        channel_token: str = "",
        **variables: Any,
    ) -> Result:
        """What `read` makes of the answer's data; without a channel token, the default channel answers."""
        return self._understand(self._post(document, variables, channel_token=channel_token), read)

    def _post(self, document: str, variables: Mapping[str, Any], *, channel_token: str = "") -> requests.Response:
        headers = {"vendure-token": channel_token} if channel_token else {}
        question = {"query": document, "variables": variables}
        return fetch(self.session, "POST", self.address + PATH, json=question, headers=headers)

    def _understand[Result](self, response: requests.Response, read: Callable[[dict[str, Any]], Result]) -> Result:
        try:
            answer = json_of(response)
            errors = mapping.errors(answer)
            if not errors:
                return read(answer["data"])
        except mapping.UNREADABLE as error:
            raise Unreachable(f"The answer cannot be read: {error!r:.200}", code="garbled") from error
        raise _refusal(errors)


@contextmanager
def _refused_as(*, code: str) -> Iterator[None]:
    """A key that may do other things is no lost permission: it is Rejected, with this code."""
    try:
        yield
    except Unauthorized as refused:
        raise Rejected(str(refused), code=code) from refused


def _refusal(errors: dict[str, str]) -> Rejected | Unauthorized | Unreachable:
    """The exception for GraphQL errors, given as Vendure's error codes and messages."""
    detail = "; ".join(f"{code}: {message}" for code, message in errors.items())
    if errors.keys() & {"FORBIDDEN", "UNAUTHORIZED"}:
        return Unauthorized(detail)
    if "INTERNAL_SERVER_ERROR" in errors:
        return Unreachable(detail, code="server_error")
    return Rejected(detail, code="not_found" if "CHANNEL_NOT_FOUND" in errors else "")
