"""What partners say of orders, and how they say it."""

from typing import Any

from django.http import HttpResponse

from tests.api.calling import call

HAT: dict[str, Any] = {"sku": "HAT-1", "quantity": 2}
ORDER: dict[str, Any] = {"ext_order_id": "1001", "lines": [HAT]}
WHOLE: dict[str, Any] = {
    "ext_order_id": "1001",
    "ext_fulfillment_order_id": "part 1",
    "number": "#1001",
    "lines": [
        {
            "sku": "HAT-1",
            "quantity": 2,
            "name": "Top hat",
            "ext_line_id": "l1",
            "ext_product_id": "p1",
            "ext_variant_id": "v1",
            "price": "19.95",
        },
        {"sku": "CAP-1", "quantity": 1},
    ],
    "tags": ["gift", "vip"],
    "notes": "Ring twice.\nThen wait.",
    "shipping_method": "Standard",
    "destination": {
        "first_name": "Ann",
        "last_name": "de Vries",
        "company": "Hats",
        "address1": "Main Street 1",
        "address2": "2nd floor",
        "city": "Delft",
        "province": "ZH",
        "zip": "2611 AA",
        "country": "NL",
        "phone": "+31 15 1234567",
        "email": "ann@example.com",
    },
    "customer": {"name": "Bob", "email": "Bob@Example.com", "phone": "+31 6 1"},
    "currency": "EUR",
    "total": "44.9",
    "shipping_price": "5.00",
    "tax": "7.7925",
    "discount": "0",
    "placed_at": "2026-01-31T12:00:00+01:00",
}


def place(token: str, body: Any = None, query: str = "", **changes: Any) -> HttpResponse:
    return call("POST", f"v1/orders{query}", (ORDER if body is None else body) | changes, token=token)


def placed(token: str, **changes: Any) -> str:
    """The id of an order that was taken."""
    answer = place(token, **changes)
    assert answer.status_code == 200, answer.content
    return answer.json()["id"]


def read(token: str, order: Any) -> dict[str, Any]:
    answer = call("GET", f"v1/orders/{order}", token=token)
    assert answer.status_code == 200, answer.content
    return answer.json()


def listed(token: str, query: str = "") -> list[str]:
    """The ext_order_ids of the list."""
    answer = call("GET", f"v1/orders{query}", token=token)
    assert answer.status_code == 200, answer.content
    return [order["ext_order_id"] for order in answer.json()["data"]]


def change(token: str, order: Any, **changes: Any) -> HttpResponse:
    return call("PUT", f"v1/orders/{order}", changes, token=token)


def cancel(token: str, order: Any) -> HttpResponse:
    return call("DELETE", f"v1/orders/{order}", token=token)


def bulk(token: str, *orders: Any, query: str = "") -> HttpResponse:
    return call("POST", f"v1/orders/bulk{query}", {"orders": orders}, token=token)


def outcomes(answer: HttpResponse) -> list[tuple[str, str]]:
    """The status and the code of each."""
    assert answer.status_code == 200, answer.content
    return [(result["status"], result["code"]) for result in answer.json()["results"]]
