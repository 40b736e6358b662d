"""Pio's part of the control endpoint: its state, port, products, deliveries and accounts.

Manual: apps/sandbox/control.py.
"""

import json
from collections.abc import Callable, Iterable
from itertools import batched

from django import forms
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.forms.models import model_to_dict
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.utils import timezone

from apps.sandbox.errors import Refused
from apps.sandbox.json_body import cleaned, json_object
from apps.sandbox.loopback import control
from apps.sandbox.pio import delivering, making, seed
from apps.sandbox.pio.bodies import Texts
from apps.sandbox.pio.models import (
    AutoPick,
    Delivery,
    Integration,
    LogEntry,
    Mapping,
    Order,
    Organization,
    Place,
    Product,
    Shop,
    Token,
    User,
)
from apps.sandbox.pio.moving import MOST, MoveForm, NotThere
from apps.sandbox.pio.moving import move as moved


class FindForm(MoveForm):
    sku = forms.CharField(max_length=255, strip=False, required=False)
    product = forms.IntegerField(required=False)


class ProductsForm(forms.Form):
    count = forms.IntegerField(min_value=1, max_value=200_000)
    shop = forms.ModelChoiceField(Shop.objects.filter(deactivated_at=None), required=False)
    in_stock = forms.IntegerField(min_value=0, max_value=MOST, required=False)


class OrganizationForm(forms.ModelForm):
    class Meta:
        model = Organization
        fields = ["name"]


class UserForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["organization", "email", "password", "role"]


class IntegrationForm(forms.Form):
    client_id = forms.CharField(max_length=100)
    client_secret = forms.CharField(max_length=200)
    redirect_uris = Texts()
    name = forms.CharField(max_length=100, required=False)


class ShopForm(forms.Form):
    shop = forms.ModelChoiceField(Shop.objects.all())


class PassForm(forms.Form):
    seconds = forms.FloatField(min_value=0, max_value=10_000_000)


def state() -> dict:
    """Everything about Pio that another process may need to know, but for products and deliveries."""
    return {
        "users": [
            {"email": u.email, "password": u.password, "role": u.role, "organization": u.organization.name}
            for u in User.objects.select_related("organization").order_by("pk")
        ],
        "organizations": list(Organization.objects.order_by("pk").values("id", "name")),
        "integrations": list(Integration.objects.order_by("pk").values("client_id", "name", "callback_urls")),
        "shops": [shop_state(shop) for shop in Shop.objects.order_by("pk").prefetch_related("hooks", "tokens")],
        "products": Product.objects.count(),
        "orders": Order.objects.count(),
        "auto_pick": model_to_dict(AutoPick.current(), exclude=["id"]),
        "waiting_deliveries": Delivery.objects.filter(state="waiting").count(),
    }


def shop_state(shop: Shop) -> dict:
    """A shop, whether it works, and its hooks."""
    return {
        **model_to_dict(shop, fields=["id", "organization", "integration", "name", "ext_shop_id"]),
        "active": shop.deactivated_at is None,
        "authorized": any(token.revoked_at is None for token in shop.tokens.all()),
        "hooks": [{"event_type": hook.event_type, "target_url": hook.target_url} for hook in shop.hooks.all()],
    }


def reset() -> None:
    """Back to the world of the first start: no shops, products, hooks or tokens."""
    with transaction.atomic():
        for model in (AutoPick, Shop, Product, Integration, Organization):
            model.objects.all().delete()
        seed.fill()
        seed.register_own_integration()


@control("POST")
def move(request: HttpRequest, *, reason: str) -> HttpResponse:
    """Store, pick or count at a place."""
    wanted = cleaned(FindForm({"kind": "grid", "name": "A1"} | json_object(request) | {"reason": reason}))
    product = found(sku=wanted.pop("sku"), product_id=wanted.pop("product"))
    try:
        entry = moved(product, **wanted)
    except NotThere as problem:
        raise Refused(409, str(problem)) from None
    return JsonResponse(entry_shown(entry) if entry else {})


def found(*, sku: str, product_id: int | None) -> Product:
    """The product of that id or SKU. Raises Refused (404, and 409 when two organizations have the SKU)."""
    products = Product.objects.filter(sku=sku) if product_id is None else Product.objects.filter(pk=product_id)
    fits = list(products[:2])
    if len(fits) != 1:
        raise Refused(409 if fits else 404, "Several have that SKU: give product" if fits else "Product not found")
    return fits[0]


def entry_shown(entry: LogEntry) -> dict:
    return model_to_dict(entry) | {"occurred_at": entry.occurred_at.isoformat()}


@control("GET")
def log(request: HttpRequest) -> HttpResponse:
    return lines(LogEntry.objects.order_by("pk").iterator(), entry_shown)


@control("GET", "POST")
def products(request: HttpRequest) -> HttpResponse:
    """GET streams all of them with places and mappings as JSON lines; POST makes some."""
    if request.method == "GET":
        return lines(known_products().iterator(chunk_size=500), product_shown)
    wanted = cleaned(ProductsForm(json_object(request)))
    shop = wanted["shop"]
    organization = shop.organization if shop else Organization.objects.earliest("pk")
    making.make(organization, count=wanted["count"], shop=shop, in_stock=wanted["in_stock"] or 0)
    return JsonResponse({"made": wanted["count"]}, status=201)


def known_products() -> QuerySet[Product]:
    places = Prefetch("places", Place.objects.filter(quantity__gt=0).order_by("pk"))
    mappings = Prefetch("mappings", Mapping.objects.order_by("pk").select_related("shop"))
    return Product.objects.order_by("pk").prefetch_related(places, mappings)


def product_shown(product: Product) -> dict:
    return {
        "id": product.pk,
        "organization": product.organization_id,
        "sku": product.sku,
        "name": product.name,
        "image_src": product.image_src,
        **product.numbers,
        "version": product.version,
        "storage": [{"kind": p.kind, "name": p.name, "quantity": p.quantity} for p in product.places.all()],
        "mappings": [
            {"shop": m.shop_id, "ext_product_id": m.ext_product_id, "ext_variant_id": m.ext_variant_id}
            for m in product.mappings.all()
        ],
    }


def lines(rows: Iterable, shown: Callable[[object], dict]) -> HttpResponse:
    """The rows as JSON lines, some hundred to a chunk."""
    chunks = ("".join(json.dumps(shown(row)) + "\n" for row in some) for some in batched(rows, 500, strict=False))
    return StreamingHttpResponse(chunks, content_type="application/x-ndjson")


@control("GET")
def deliveries(request: HttpRequest) -> HttpResponse:
    rows = Delivery.objects.order_by("created_at", "hook_id").select_related("hook__shop")
    if "state" in request.GET:
        rows = rows.filter(state=request.GET["state"])
    return JsonResponse({"deliveries": [delivery_shown(delivery) for delivery in rows]})


def delivery_shown(delivery: Delivery) -> dict:
    hook = delivery.hook
    columns = ("id", "state", "attempts", "last_status", "created_at", "next_attempt_at", "body")
    about = {"event_type": hook.event_type, "target_url": hook.target_url, "ext_shop_id": hook.shop.ext_shop_id}
    return {"shop": hook.shop_id, **about, **{column: getattr(delivery, column) for column in columns}}


@control("POST")
def retry(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"due": delivering.retry_now()})


@control("POST")
def pass_time(request: HttpRequest) -> HttpResponse:
    delivering.pass_time(cleaned(PassForm(json_object(request)))["seconds"])
    return HttpResponse(status=204)


@control("POST")
def organizations(request: HttpRequest) -> HttpResponse:
    return saved(OrganizationForm(json_object(request)))


@control("POST")
def users(request: HttpRequest) -> HttpResponse:
    return saved(UserForm(json_object(request)))


def saved(form: forms.ModelForm) -> HttpResponse:
    """201 with the id of what the form makes. Raises Refused (422)."""
    cleaned(form)
    return JsonResponse({"id": form.save().pk}, status=201)


@control("POST")
def integrations(request: HttpRequest) -> HttpResponse:
    """Register an integration, or change the one with that client_id."""
    wanted = cleaned(IntegrationForm(json_object(request)))
    wanted["name"] = wanted["name"] or wanted["client_id"]
    seed.register(**wanted)
    return JsonResponse({name: wanted[name] for name in ("client_id", "name", "redirect_uris")}, status=201)


@control("POST")
def revoke(request: HttpRequest) -> HttpResponse:
    """End the tokens of a shop, and nothing else of it."""
    shop = cleaned(ShopForm(json_object(request)))["shop"]
    living = Token.objects.filter(shop=shop, revoked_at=None)
    return JsonResponse({"revoked": living.update(revoked_at=timezone.now())})
