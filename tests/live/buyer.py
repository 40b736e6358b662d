"""A customer of the shop: fills a cart and pays, by Vendure's own Shop API."""

from collections.abc import Mapping
from typing import Any

import requests

from .shop import Refused

DETAILS = """mutation ($customer: CreateCustomerInput!, $address: CreateAddressInput!) {
  setCustomerForOrder(input: $customer) { __typename ... on ErrorResult { message } }
  setOrderShippingAddress(input: $address) { __typename ... on ErrorResult { message } }
}"""
PAY = """mutation ($method: String!) {
  transitionOrderToState(state: "ArrangingPayment") { __typename ... on OrderStateTransitionError { transitionError } }
  addPaymentToOrder(input: {method: $method, metadata: {}}) {
    __typename ... on Order { id code } ... on ErrorResult { message }
  }
}"""
PAYMENT, SHIPPING = "standard-payment", "Standard Shipping"  # of Vendure's sample data
CUSTOMER = {
    "firstName": "Ada",
    "lastName": "Lovelace",
    "emailAddress": "ada@example.com",
    "phoneNumber": "+44 20 7946 0",
}
ADDRESS = {
    "fullName": "Ada Lovelace",
    "company": "Analytical Engines",
    "streetLine1": "12 St James's Square",
    "streetLine2": "Second floor",
    "city": "London",
    "postalCode": "SW1Y 4JH",
    "countryCode": "GB",
    "phoneNumber": "+44 20 7946 0958",
}


class Buyer:
    """Somebody without an account, in one visit. Raises Refused."""

    def __init__(self, shop: str) -> None:
        self.address = f"{shop}/shop-api"
        self.session = requests.Session()
        self.session.trust_env = False

    def buy(self, pieces: Mapping[str, int], *, payment: str) -> dict[str, str]:
        """So many pieces of each variant, sent as SHIPPING says; the order's id and code."""
        for variant, quantity in pieces.items():
            self._add(variant, quantity)
        self._ask(DETAILS, customer=CUSTOMER, address=ADDRESS)
        self._choose_shipping()
        placed = self._ask(PAY, method=payment)["addPaymentToOrder"]
        return {"id": placed["id"], "code": placed["code"]}

    def _add(self, variant: str, quantity: int) -> None:
        self._ask(
            """mutation ($id: ID!, $pieces: Int!) {
                addItemToOrder(productVariantId: $id, quantity: $pieces) {
                    __typename ... on ErrorResult { message }
                }
            }""",
            id=variant,
            pieces=quantity,
        )

    def _choose_shipping(self) -> None:
        offered = self._ask("query { eligibleShippingMethods { id name } }")["eligibleShippingMethods"]
        self._ask(
            """mutation ($id: ID!) {
                setOrderShippingMethod(shippingMethodId: [$id]) { __typename ... on ErrorResult { message } }
            }""",
            id=next(method["id"] for method in offered if method["name"] == SHIPPING),
        )

    def _ask(self, document: str, **variables: Any) -> dict[str, Any]:
        """The answer's data, with every mutation in it done."""
        body = {"query": document, "variables": variables}
        response = self.session.post(self.address, json=body, timeout=30)
        if token := response.headers.get("vendure-auth-token"):
            self.session.headers["Authorization"] = f"Bearer {token}"
        answer = response.json()
        results = [value for value in (answer.get("data") or {}).values() if isinstance(value, dict)]
        if answer.get("errors") or any(result["__typename"] != "Order" for result in results):
            raise Refused(answer)
        return answer["data"]
