"""Otter's part of the control endpoint: its state, stores, products and applications.

Manual: apps/sandbox/control.py.
"""

import json
import uuid
from collections.abc import Iterator
from itertools import batched

from django import forms
from django.db import transaction
from django.db.models import Count, Max
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404

from apps.sandbox.errors import Refused
from apps.sandbox.json_body import cleaned, json_object
from apps.sandbox.loopback import control
from apps.sandbox.otter import catalogue, rate_limits, seed
from apps.sandbox.otter.inventory import rows_of, summary
from apps.sandbox.otter.models import (
    Application,
    Brand,
    Connection,
    Grant,
    Organization,
    Product,
    Store,
    Token,
    User,
)
from apps.sandbox.otter.words import STREETS, TOWNS

COLUMNS = {
    "name": "name",
    "externalId": "sku",
    "gtin": "gtin",
    "slug": "slug",
    "sellableQuantity": "sellable",
    "unsellableQuantity": "unsellable",
    "inboundQuantity": "inbound",
    "currencyCode": "currency",
}
QUANTITY = {"min_value": 0, "max_value": 2_000_000_000, "required": False}


class ProductForm(forms.Form):
    """A product in the API's words; `amount` and `currencyCode` are the two parts of `price`."""

    name = forms.CharField(max_length=1000, strip=False)
    externalId = forms.CharField(max_length=100, strip=False, required=False)
    gtin = forms.RegexField(r"^\d{8,14}$", required=False)
    slug = forms.CharField(max_length=300, required=False)
    sellableQuantity = forms.IntegerField(**QUANTITY)
    unsellableQuantity = forms.IntegerField(**QUANTITY)
    inboundQuantity = forms.IntegerField(**QUANTITY)
    amount = forms.DecimalField(min_value=0, max_value=10**9, decimal_places=2, required=False)
    currencyCode = forms.RegexField(r"^[A-Z]{3}$", required=False)


class CatalogueForm(forms.Form):
    products = forms.IntegerField(min_value=0, max_value=200_000)
    seed = forms.IntegerField(min_value=0, required=False)


class StoresForm(forms.Form):
    brand = forms.UUIDField()
    count = forms.IntegerField(min_value=1, max_value=20_000)


class ApplicationForm(forms.Form):
    client_id = forms.CharField(max_length=100)
    client_secret = forms.CharField(max_length=200)
    name = forms.CharField(max_length=100, required=False)
    redirect_uris = forms.JSONField()
    webhook_url = forms.URLField(max_length=2000, required=False, assume_scheme="http")
    webhook_secret = forms.CharField(max_length=200, required=False)

    def clean_redirect_uris(self) -> list[str]:
        uris = self.cleaned_data["redirect_uris"]
        if not isinstance(uris, list) or not all(isinstance(uri, str) and "://" in uri for uri in uris):
            raise forms.ValidationError("must be a list of addresses")
        return uris


def state() -> dict:
    """Everything about Otter that another process may need to know."""
    return {
        "users": [
            {"email": u.email, "password": u.password, "organization": u.organization.name}
            for u in User.objects.select_related("organization").order_by("pk")
        ],
        "organizations": [
            {
                "id": str(o.id),
                "name": o.name,
                "brands": [brand_state(brand) for brand in o.brands.order_by("pk")],
            }
            for o in Organization.objects.order_by("pk")
        ],
        "applications": list(
            Application.objects.order_by("pk").values("client_id", "name", "redirect_uris", "webhook_url")
        ),
        "connections": [
            {"client_id": c.application_id, "store": str(c.store.id), "storeId": c.partner_id}
            for c in Connection.objects.select_related("store").order_by("pk")
        ],
    }


def brand_state(brand: Brand) -> dict:
    """A brand with its stores, each with its number of products."""
    stores = brand.stores.annotate(count=Count("products")).order_by("pk")
    return {
        "id": str(brand.id),
        "name": brand.name,
        "stores": [{"id": str(s.id), "name": s.name, "products": s.count} for s in stores],
    }


def reset() -> None:
    """Back to the world of the first start: no tokens, no connections, the seeded catalogues."""
    with transaction.atomic():
        for model in (Token, Grant, Connection, Application, Product, Store, Brand, User, Organization):
            model.objects.all().delete()
        seed.fill()
        seed.register_own_application()
    rate_limits.forgive()


@control("POST")
def regenerate(request: HttpRequest, *, store_id: uuid.UUID) -> HttpResponse:
    store = get_object_or_404(Store.objects.select_related("brand__organization"), id=store_id)
    wanted = cleaned(CatalogueForm(json_object(request)))
    catalogue.regenerate(store, products=wanted["products"], seed=wanted["seed"] or 0)
    return JsonResponse({"products": wanted["products"]})


@control("GET", "POST")
def products(request: HttpRequest, *, store_id: uuid.UUID) -> HttpResponse:
    """GET streams the store's products as JSON lines, in the API's order and words. POST adds one: 201."""
    store = get_object_or_404(Store.objects.select_related("brand__organization"), id=store_id)
    if request.method == "GET":
        return StreamingHttpResponse(lines_of(store), content_type="application/x-ndjson")
    product = Product(store=store, picture=store.brand.organization.goods)
    return JsonResponse(summary(changed(product, flat(json_object(request)))), status=201)


def lines_of(store: Store) -> Iterator[str]:
    """The products as JSON lines, some hundred to a chunk."""
    products = rows_of(store).order_by("number").iterator(chunk_size=500)
    for chunk in batched(products, 500, strict=False):
        yield "".join(json.dumps(summary(product)) + "\n" for product in chunk)


@control("GET", "PATCH", "DELETE")
def product(request: HttpRequest, *, store_id: uuid.UUID, product_id: uuid.UUID) -> HttpResponse:
    """GET shows, PATCH changes the given fields only, DELETE removes (204)."""
    found = get_object_or_404(Product, store__id=store_id, id=product_id)
    if request.method == "DELETE":
        found.delete()
        return HttpResponse(status=204)
    if request.method == "PATCH":
        changed(found, flat(json_object(request)))
    return JsonResponse(summary(found))


def changed(product: Product, given: dict) -> Product:
    """Save the product with the given fields (the form's names).

    Raises Refused (422) and then saves nothing.
    """
    return change(product, cleaned(ProductForm(form_data(product) | given)))


def change(product: Product, accepted: dict) -> Product:
    """Save the product with what a valid ProductForm accepted."""
    for name, column in COLUMNS.items():
        empty = 0 if name.endswith("Quantity") else ""
        setattr(product, column, empty if accepted[name] is None else accepted[name])
    product.price = None if accepted["amount"] is None else int(accepted["amount"] * 100)
    product.save()
    return product


def form_data(product: Product) -> dict:
    """The product as the form takes it."""
    amount = {"amount": None if product.price is None else f"{product.price / 100:.2f}"}
    return {name: getattr(product, column) for name, column in COLUMNS.items()} | amount


def flat(body: dict) -> dict:
    """The body with `price {amount, currencyCode}` taken apart; a null price has no amount.

    Raises Refused (422).
    """
    if "price" not in body:
        return body
    price = {"amount": None} if body["price"] is None else body["price"]
    if not isinstance(price, dict):
        raise Refused(422, "The request body is not valid", details={"price": "must be {amount, currencyCode}"})
    return {name: value for name, value in body.items() if name != "price"} | price


@control("POST")
def stores(request: HttpRequest) -> HttpResponse:
    """Add `count` stores to a brand, without products: 201 with their ids."""
    wanted = cleaned(StoresForm(json_object(request)))
    brand = get_object_or_404(Brand, id=wanted["brand"])
    with transaction.atomic():
        first = (Store.objects.aggregate(last=Max("number"))["last"] or 0) + 1
        made = Store.objects.bulk_create(pop_up(brand, number=first + i) for i in range(wanted["count"]))
    return JsonResponse({"stores": [str(store.id) for store in made]}, status=201)


def pop_up(brand: Brand, *, number: int) -> Store:
    """An unsaved store with a plausible address; its number decides name and address."""
    city, postal_code, country = TOWNS[number % len(TOWNS)]
    street = f"{number % 190 + 1} {STREETS[number % len(STREETS)]}"
    address = seed.full(street, postal_code, city, "", country, 50.0 + number % 10, 4.0 + number % 8)
    return Store(number=number, brand=brand, name=f"{brand.name} {city} {number:04}", address=address)


@control("POST")
def applications(request: HttpRequest) -> HttpResponse:
    """Register an application, or change the one with that client_id: 201."""
    wanted = cleaned(ApplicationForm(json_object(request)))
    wanted["name"] = wanted["name"] or wanted["client_id"]
    Application.objects.update_or_create(pk=wanted["client_id"], defaults=wanted)
    shown = {name: wanted[name] for name in ("client_id", "name", "redirect_uris", "webhook_url")}
    return JsonResponse(shown, status=201)
