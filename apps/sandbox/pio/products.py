"""`/api/v1/products` and `/api/v1/inventory`: what a shop says of its products, and what is there (contracts 1.5, 1.6).

A product belongs to the organization and is shared by its shops; each names it by its own pairs of external ids.
The first shop that adds a SKU describes it, the next ones are linked to it. Nothing here writes stock.
"""

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse

from apps.sandbox.errors import Refused
from apps.sandbox.json_body import json_object
from apps.sandbox.pio.bodies import ProductForm, accepted
from apps.sandbox.pio.models import Mapping, Place, Product, Shop
from apps.sandbox.pio.paging import page_of

COLUMNS, NAMES = ("name", "sku", "image_src"), ("ext_product_id", "ext_variant_id")
ABOUT = [field for field in ProductForm.base_fields if field not in COLUMNS + NAMES]


def products_of(shop: Shop) -> QuerySet[Product]:
    """The products that the shop has linked, each with the shop's own mappings of it."""
    own = Prefetch("mappings", shop.mappings.order_by("pk"), to_attr="own_mappings")
    return Product.objects.filter(pk__in=shop.mappings.values("product")).prefetch_related(own)


def linked_product(request: HttpRequest, product_id: int) -> Product:
    """Raises Refused (404) unless the calling shop has it linked."""
    product = products_of(request.token.shop).filter(pk=product_id).first()
    if product is None:
        raise Refused(404, "There is no such product in this shop", code="product_not_found")
    return product


def page(request: HttpRequest) -> HttpResponse:
    shop = request.token.shop
    return page_of(products_of(shop), request=request, scope=f"products of {shop.pk}", shown=shown)


def read(request: HttpRequest, *, product_id: int) -> HttpResponse:
    return JsonResponse(shown(linked_product(request, product_id)))


def shown(product: Product) -> dict:
    """A product in the words of the API, by the shop's first name for it."""
    return {
        "id": product.pk,
        "sku": product.sku,
        "name": product.name,
        "image_src": product.image_src,
        **first_names(product),
        "mappings": [names_of(mapping) for mapping in product.own_mappings],
        **product.about,
        "inventory": product.numbers,
    }


def first_names(product: Product) -> dict[str, str]:
    return names_of(product.own_mappings[0])


def names_of(mapping: Mapping) -> dict[str, str]:
    return {name: getattr(mapping, name) for name in NAMES}


def add(request: HttpRequest) -> HttpResponse:
    """Add a product, or link the one of that SKU, which then stays as it is described."""
    given, token = accepted(ProductForm, request), request.token
    with transaction.atomic():
        product, _ = Product.objects.get_or_create(
            organization_id=token.organization_id, sku=given["sku"], defaults=described(given)
        )
        link(product, Mapping(shop=token.shop), given)
    return read(request, product_id=product.pk)


def described(given: dict) -> dict:
    """The columns of a product that a valid form gives; empty answers are left out of `about`."""
    about = {name: given[name] for name in ABOUT if given[name] not in (None, "", [])}
    return {"name": given["name"], "image_src": given["image_src"], "about": about}


def link(product: Product, mapping: Mapping, given: dict) -> None:
    """Let the mapping lead from the given names to the product. Raises Refused (400) if they lead to another."""
    names = {name: given[name] for name in NAMES}
    taken = Mapping.objects.filter(shop=mapping.shop, **names).exclude(pk=mapping.pk).first()
    if taken and taken.product_id != product.pk:
        message = "Another product of this shop has these external ids"
        raise Refused(400, message, code="product_mapping_already_exists", details={"ext_product_id": "is taken"})
    if taken is None:
        mapping.product = product
        mapping.ext_product_id, mapping.ext_variant_id = names.values()
        mapping.save()


def change(request: HttpRequest, *, product_id: int) -> HttpResponse:
    """Change the given fields only. Of several mappings, `old_ext_…` says which one gets new external ids."""
    body = json_object(request)
    with transaction.atomic():
        product = linked_product(request, product_id)
        mapping = named_mapping(product.own_mappings, old=old_ids(request, body), new=body)
        before = product.about | names_of(mapping) | {column: getattr(product, column) for column in COLUMNS}
        given = accepted(ProductForm, request, over=before)
        check_sku(product, given["sku"])
        link(product, mapping, given)
        Product.objects.filter(pk=product.pk).update(sku=given["sku"], **described(given))
    return read(request, product_id=product_id)


def check_sku(product: Product, sku: str) -> None:
    """Raises Refused (400) when another product of the organization has that SKU."""
    others = Product.objects.filter(organization=product.organization_id, sku=sku).exclude(pk=product.pk)
    if others.exists():
        code = "product_sku_already_exists_and_in_use_by_other_product"
        raise Refused(400, "Another product has that SKU", code=code, details={"sku": "is taken"})


def old_ids(request: HttpRequest, body: dict) -> tuple[str | None, str | None]:
    """The names that query or body call old. Raises Refused (422) when the two disagree."""
    found = []
    for name in ("old_ext_product_id", "old_ext_variant_id"):
        said = {source[name] for source in (request.GET, body) if isinstance(source.get(name), str)}
        if len(said) > 1:
            raise Refused(422, f"Query and body disagree on {name}", code="old_ext_variant_id_required")
        found.append(next(iter(said), None))
    return found[0], found[1]


def named_mapping(mappings: list[Mapping], *, old: tuple[str | None, str | None], new: dict) -> Mapping:
    """The mapping that a change is about. Raises Refused (400, 422) with the codes of contracts 1.5."""
    old_product_id, old_variant_id = old
    if old == (None, None):
        return only_mapping(mappings, new=new)
    fits = [m for m in mappings if old_product_id in (None, m.ext_product_id)]
    if not fits:
        raise Refused(400, "No mapping has that old_ext_product_id", code="mismatched_ext_product_id")
    if old_variant_id is None and len(fits) > 1:
        message = "Several variants have that old_ext_product_id"
        raise Refused(422, message, code="old_ext_variant_id_required")
    fits = [m for m in fits if old_variant_id in (None, m.ext_variant_id)]
    if not fits:
        raise Refused(400, "No mapping has that old_ext_variant_id", code="mismatched_ext_variant_id")
    return only_mapping(fits, new=new)


def only_mapping(mappings: list[Mapping], *, new: dict) -> Mapping:
    """The one there is, or the one whose names the body repeats. Raises Refused (400)."""
    repeated = [m for m in mappings if {name: new.get(name, "") for name in NAMES} == names_of(m)]
    fits = mappings if len(mappings) == 1 else repeated
    if not fits:
        message = "This product has several mappings: name the old external ids"
        raise Refused(400, message, code="duplicate_products_found")
    return fits[0]


def remove(request: HttpRequest, *, product_id: int) -> HttpResponse:
    """Take the product out of the shop, and out of Pio when no other shop has it: 204. Not while there is stock."""
    with transaction.atomic():
        product = linked_product(request, product_id)
        if product.in_stock:
            raise Refused(422, "Take the stock out of the warehouse first", code="product_has_stock")
        product.mappings.filter(shop=request.token.shop_id).delete()
        if not product.mappings.exists():
            product.delete()
    return HttpResponse(status=204)


def inventory(request: HttpRequest) -> HttpResponse:
    """What is there of each product of the shop, and where; `sku` finds one."""
    shop = request.token.shop
    places = Prefetch("places", Place.objects.filter(quantity__gt=0).order_by("pk"), to_attr="filled")
    rows = products_of(shop).prefetch_related(places)
    if "sku" in request.GET:
        rows = rows.filter(sku=request.GET["sku"])
    return page_of(rows, request=request, scope=f"inventory of {shop.pk}", shown=stock_shown)


def stock_shown(product: Product) -> dict:
    storage = [{"kind": p.kind, "name": p.name, "quantity": p.quantity} for p in product.filled]
    named = {"sku": product.sku, "product_id": product.pk, **first_names(product)}
    return named | product.numbers | {"version": product.version, "storage": storage}
