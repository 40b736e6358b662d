"""Partners that bring products over the API, and what they say of them."""

from typing import Any

from django.http import HttpResponse

from apps.integrations.models import Integration
from apps.shops.models import Shop
from tests.api.calling import call
from tests.factories import make_access_token, make_authorization, make_shop

HAT: dict[str, Any] = {"ext_product_id": "p1", "sku": "HAT-1", "name": "Top hat"}
DESCRIBED: dict[str, Any] = HAT | {
    "ext_variant_id": "v1",
    "barcodes": ["8712345678906", "0012345"],
    "image_src": "https://pictures.example.com/hat.jpg",
    "price": {"currency": "EUR", "value": "19.95"},
    "weight": 250,
    "length": 300.5,
    "width": 0.1,
    "height": 120.125,
    "hs_code": "6506.99",
    "country_of_origin": "NL",
    "brand": "Great Hats",
    "type": "Headwear",
    "tags": ["summer", "sale"],
}
PLAIN: dict[str, Any] = {
    "ext_variant_id": "",
    "barcodes": [],
    "image_src": "",
    "price": None,
    "weight": None,
    "length": None,
    "width": None,
    "height": None,
    "hs_code": "",
    "country_of_origin": "",
    "brand": "",
    "type": "",
    "tags": [],
}


def open_shop(integration: Integration, **fields: Any) -> tuple[Shop, str]:
    """A shop of a partner's, and its own token."""
    authorization = make_authorization(integration=integration, is_lasting=True)
    shop = make_shop(integration=integration, authorization=authorization, **fields)
    return shop, make_access_token(authorization=authorization)


def create(token: str, body: Any = None, **changes: Any) -> HttpResponse:
    return call("POST", "v1/products", (HAT if body is None else body) | changes, token=token)


def made(token: str, **changes: Any) -> dict[str, Any]:
    """A product that was created."""
    answer = create(token, **changes)
    assert answer.status_code == 200, answer.content
    return answer.json()


def read(token: str, product: Any) -> dict[str, Any]:
    answer = call("GET", f"v1/products/{product['id']}", token=token)
    assert answer.status_code == 200, answer.content
    return answer.json()


def listed(token: str, query: str = "") -> list[str]:
    """The SKUs of the list."""
    answer = call("GET", f"v1/products{query}", token=token)
    assert answer.status_code == 200, answer.content
    return [product["sku"] for product in answer.json()["data"]]


def bulk(token: str, *products: Any, query: str = "") -> HttpResponse:
    return call("POST", f"v1/products/bulk{query}", {"products": products}, token=token)


def outcomes(answer: HttpResponse) -> list[tuple[str, str]]:
    """The status and the code of each."""
    assert answer.status_code == 200, answer.content
    return [(result["status"], result["code"]) for result in answer.json()["results"]]
