"""Products over the API (Pio: contracts 1.5). Paging is by the SKU, which is unique in an organization and indexed."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Prefetch
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.response import Response

from apps.api.bodies import checked
from apps.api.errors import Problem, problem_of
from apps.api.paging import LINKED_QUERY, linked_page
from apps.api.principals import Call
from apps.api.routes import operation
from apps.audit.trail import record
from apps.shops.api import OF_SHOPS, SHOP, shop_for_new, shops_named

from . import registering
from .models import Listing, Product, StockLevel
from .models.products import ListingQuerySet, ProductQuerySet
from .product_bodies import (
    ChangedProduct,
    ManyProducts,
    NewProduct,
    ProductBody,
    ProductOutcome,
    ProductOutcomes,
    ProductPage,
    ProductQuery,
    ProductWithStock,
    in_our_words,
)
from .registering import PAIR, Outcome

TAG = "Products"
OLD = [
    OpenApiParameter(f"old_{name}", {"type": "string", "maxLength": 255}, description="As in the body.")
    for name in PAIR
]
TEXT = {"type": "string", "minLength": 1, "maxLength": 255}
FILTERS = [
    SHOP,
    OpenApiParameter("sku", TEXT, description="Exactly this one."),
    OpenApiParameter("ext_product_id", TEXT, description="Those that your shops list under this id."),
    OpenApiParameter("barcode", TEXT, description="Those that have this one among theirs."),
    OpenApiParameter("q", TEXT | {"maxLength": 200}, description="Every word in SKU, name or barcode."),
    OpenApiParameter("updated_since", OpenApiTypes.DATETIME, description="Changed then or later."),
    OpenApiParameter("archived", bool, description="true: those that no shop lists any more."),
]
NOT_YOURS = "No shop that you bring products to lists it: what a platform lists is changed there."
TAKEN_IN = ["ext_product_id_already_exists", "not_linked"]
MISMATCHED = ["mismatched_ext_product_id", "mismatched_ext_variant_id", "duplicate_products_found"]


def _listings(request: Call) -> ListingQuerySet:
    """Those that the caller may know of, or those of the shop that the address names."""
    listings = Listing.objects.for_principal(request).current()
    return listings.filter(shop__in=shops_named(request)) if "shop_id" in request.query_params else listings


def _products(request: Call) -> ProductQuerySet:
    """With the listings that the caller may know of as `shown`."""
    shown = Listing.objects.for_principal(request).current().order_by("pk")
    return Product.objects.for_principal(request).prefetch_related(Prefetch("listings", shown, to_attr="shown"))


def _product(request: Call, product_id: int) -> Product:
    found = _products(request).filter(pk=product_id).first()
    if found is None:
        raise Problem("product_not_found")
    return found


def _shape(product: Product) -> dict[str, Any]:
    return ProductBody(product).data


@operation(
    "Create a product",
    tag=TAG,
    body=NewProduct,
    query=[SHOP],
    answers={200: ProductBody},
    errors=[*OF_SHOPS, *TAKEN_IN],
    writes=True,
)
def create_product(request: Call) -> Response:
    """Stores what is said of it, and no stock. Under a SKU that the organization has, your shop is linked to that one.

    The shop that brought a product first describes it. Sent again under the same ids, the product is updated.
    """
    values = checked(NewProduct, request.data)
    (outcome,) = registering.register(shop_for_new(request), [_good(values)])
    if outcome.problem:
        raise outcome.problem
    product = _products(request).get(pk=outcome.product)
    record(request.user.actor, "product.create", on=product, after={"sku": product.sku, "status": outcome.status})
    return Response(_shape(product))


@operation(
    "Create many products",
    tag=TAG,
    body=ManyProducts,
    query=[SHOP],
    answers={200: ProductOutcomes},
    errors=OF_SHOPS,
    writes=True,
)
def create_products(request: Call) -> Response:
    """Up to 500 at once, with an outcome for each: one that is wrong fails alone, and the others are taken."""
    shop, items = shop_for_new(request), checked(ManyProducts, request.data)["products"]
    form = NewProduct()
    read = [_read(form, item) for item in items]
    goods = [one for one in read if not isinstance(one, Problem)]
    taken = iter(registering.register(shop, goods))
    outcomes = [Outcome("failed", problem=one) if isinstance(one, Problem) else next(taken) for one in read]
    failed = sum(outcome.problem is not None for outcome in outcomes)
    record(request.user.actor, "product.create", on=shop, after={"taken": len(items) - failed, "failed": failed})
    return Response({"results": [_told(index, outcome) for index, outcome in enumerate(outcomes)]})


def _read(form: NewProduct, item: Any) -> Any:
    """A good, or the problem it has."""
    try:
        return _good(form.run_validation(item))
    except serializers.ValidationError as error:
        return problem_of(error)


def _good(values: dict[str, Any]) -> Any:
    return registering.RemoteProduct(**in_our_words(values))


def _told(index: int, outcome: Outcome) -> dict[str, Any]:
    problem = outcome.problem
    told = problem.body() if problem else {"code": "", "message": "", "details": []}
    named = {"index": index, "status": outcome.status, "id": outcome.product}
    return ProductOutcome(told | named).data


@operation(
    "List products",
    tag=TAG,
    answers={200: ProductPage},
    query=[*LINKED_QUERY, *FILTERS],
    errors=["shop_not_found"],
)
def list_products(request: Call) -> Response:
    """In the order of their SKUs. Those that your shops list; with a key that sees its organization, all of it."""
    asked = checked(ProductQuery, request.query_params.dict())
    return linked_page(request, _narrowed(request, asked), shape=_shape)


def _narrowed(request: Call, asked: dict[str, Any]) -> ProductQuerySet:
    products = _products(request).filter(archived_at__isnull=asked.get("archived") != "true")
    if "ext_product_id" in asked:
        products = products.listed(_listings(request).filter(ext_product_id=asked["ext_product_id"]))
    elif "shop_id" in request.query_params:
        products = products.listed(_listings(request))
    exact = {"sku": "sku", "barcode": "barcodes__contains", "updated_since": "updated_at__gte"}
    for name, lookup in exact.items():
        if name in asked:
            products = products.filter(**{lookup: [asked[name]] if name == "barcode" else asked[name]})
    return products.matching(asked.get("q", ""))


@operation("Read a product", tag=TAG, answers={200: ProductWithStock}, errors=["product_not_found"])
def read_product(request: Call, product_id: int) -> Response:
    """With its latest stock, in all and at each location."""
    product = _product(request, product_id)
    product.inventory = _inventory(product)  # type: ignore[attr-defined]
    return Response(ProductWithStock(product).data)


def _inventory(product: Product) -> dict[str, Any]:
    """The sums are over the places whose stock may be sold."""
    levels = StockLevel.objects.filter(organization=product.organization_id, product=product)
    there = list(levels.select_related("location").order_by("location__name", "location"))
    counted = [level for level in there if level.location.is_counted]
    on_hand, reserved = sum(level.on_hand for level in counted), sum(level.reserved for level in counted)
    return {"on_hand": on_hand, "reserved": reserved, "available": on_hand - reserved, "locations": there}


@operation(
    "Update a product",
    tag=TAG,
    body=ChangedProduct,
    query=[SHOP, *OLD],
    answers={200: ProductBody},
    errors=[
        "product_not_found",
        "shop_not_found",
        "product_sku_already_exists_and_in_use_by_other_product",
        "sku_shared",
        "ext_product_id_already_exists",
        "old_ext_variant_id_required",
        *MISMATCHED,
    ],
    writes=True,
)
def update_product(request: Call, product_id: int) -> Response:
    """What your shop says of it; what is left out stays. Without old ids the ids in the body must be those it has.

    A new SKU is the product's, which keeps its id and stock; it is refused when another product has it, or when
    another shop lists this one.
    """
    product, changes = _product(request, product_id), checked(ChangedProduct, request.data)
    old = _old_ids(request, changes)
    listing = _chosen(_own(request, product), changes, old)
    registering.revise(listing, in_our_words(changes), actor=request.user.actor)
    return Response(_shape(_products(request).get(pk=product.pk)))


def _old_ids(request: Call, changes: dict[str, Any]) -> dict[str, str]:
    """As the body says, or the address. Raises Problem old_ext_variant_id_required when they disagree."""
    said = {name: changes.pop(f"old_{name}", None) for name in PAIR}
    named = {name: request.query_params.get(f"old_{name}") for name in PAIR}
    for name in PAIR:
        if None not in (said[name], named[name]) and said[name] != named[name]:
            raise Problem("old_ext_variant_id_required", f"old_{name} in the address and in the body differ.")
    either = {name: named[name] if said[name] is None else said[name] for name in PAIR}
    return {name: value for name, value in either.items() if value is not None}


def _own(request: Call, product: Product) -> list[Listing]:
    """Those of its listings that a partner may change. Raises Problem conflict when there is none."""
    listings = _listings(request).filter(product=product, shop__integration__partner__isnull=False)
    found = list(listings.select_related("shop__integration__partner").order_by("pk"))
    if not found:
        raise Problem("conflict", NOT_YOURS)
    return found


def _chosen(listings: Sequence[Listing], changes: dict[str, Any], old: dict[str, str]) -> Listing:
    """The one that the ids name: the old ones, or else those of the body, which then must be its own.

    Raises Problem: mismatched_ext_product_id, mismatched_ext_variant_id, duplicate_products_found,
    old_ext_variant_id_required.
    """
    named = old or {name: changes[name] for name in PAIR if name in changes}
    for name in PAIR:
        if name in named:
            listings = [listing for listing in listings if getattr(listing, name) == named[name]]
        if not listings:
            raise Problem(f"mismatched_{name}")
    if len(listings) > 1:
        raise Problem("old_ext_variant_id_required" if old else "duplicate_products_found")
    if old and "ext_variant_id" not in old and changes.get("ext_variant_id", "") != listings[0].ext_variant_id != "":
        raise Problem("old_ext_variant_id_required")
    return listings[0]


@operation(
    "Delete a product",
    tag=TAG,
    query=[SHOP],
    answers={204: None},
    errors=["product_not_found", "shop_not_found", "product_has_stock"],
    writes=True,
)
def delete_product(request: Call, product_id: int) -> Response:
    """Your shops no longer list it; when nobody does, it is archived. Refused while there is any stock of it."""
    product = _product(request, product_id)
    registering.delist(product, _own(request, product), actor=request.user.actor)
    return Response(status=204)
