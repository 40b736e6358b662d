"""The organization calls: organization, brands, stores, and a store's connection to the application."""

from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404

from apps.sandbox.cursors import limit_of
from apps.sandbox.errors import Refused
from apps.sandbox.json_body import json_object
from apps.sandbox.otter.bearer import call
from apps.sandbox.otter.models import Brand, Connection, Listed, Organization, Store
from apps.sandbox.otter.paging import Page, page_of, with_bad_item


@call(scope="organization.read")
def organization(request: HttpRequest) -> HttpResponse:
    return JsonResponse(named(owner(request)))


@call(scope="organization.read")
def brands(request: HttpRequest) -> HttpResponse:
    rows = owner(request).brands.all()
    page = page_of(rows, request=request, scope=f"brands of {owner(request).id}", limit=limit_of(request, most=100))
    return listed(request, [named(brand) for brand in page.rows], page=page)


@call(scope="organization.read")
def brand(request: HttpRequest, *, brand_id: str) -> HttpResponse:
    return JsonResponse(named(own_brand(request, brand_id)))


@call(scope="organization.read")
def stores(request: HttpRequest, *, brand_id: str) -> HttpResponse:
    rows = own_brand(request, brand_id).stores.all()
    page = page_of(rows, request=request, scope=f"stores of {brand_id}", limit=limit_of(request, most=100))
    return listed(request, [with_address(store) for store in page.rows], page=page)


@call(scope="organization.read")
def store(request: HttpRequest, *, brand_id: str, store_id: str) -> HttpResponse:
    return JsonResponse(with_address(own_store(request, brand_id, store_id)))


@call(scope="organization.service_integration", methods=("GET", "POST", "DELETE"))
def connection(request: HttpRequest, *, brand_id: str, store_id: str) -> HttpResponse:
    """GET: `{storeId}` or 404. POST `{storeId}`: 204, or 409 when there is one. DELETE: 204, or 404."""
    place = {"application": request.token.application, "store": own_store(request, brand_id, store_id)}
    if request.method == "POST":
        return connect(partner_store_id(request), **place)
    found = Connection.objects.filter(**place)
    if request.method == "GET":
        return JsonResponse({"storeId": get_object_or_404(found).partner_id})
    if not found.delete()[0]:
        raise Http404
    return HttpResponse(status=204)


def connect(partner_id: str, **place: object) -> HttpResponse:
    """Connect the store under the partner's id. Raises Refused (409) when either is taken.

    That an id names one store only is this simulator's reading: `X-Store-Id` would be ambiguous otherwise.
    """
    try:
        with transaction.atomic():
            Connection.objects.create(partner_id=partner_id, **place)
    except IntegrityError:
        raise Refused(409, "A connection with this store, or under this storeId, already exists") from None
    return HttpResponse(status=204)


def partner_store_id(request: HttpRequest) -> str:
    """`storeId` of the body: 1 to 255 printable ASCII characters. Raises Refused (400, 422)."""
    value = json_object(request).get("storeId")
    if isinstance(value, str) and 1 <= len(value) <= 255 and value.isascii() and value.isprintable():
        return value
    problem = {"storeId": "must be 1 to 255 printable ASCII characters"}
    raise Refused(422, "The request body is not valid", details=problem)


def owner(request: HttpRequest) -> Organization:
    """The organization of the user who consented."""
    return request.token.grant.user.organization


def own_brand(request: HttpRequest, brand_id: str) -> Brand:
    return get_object_or_404(owner(request).brands, id=brand_id)


def own_store(request: HttpRequest, brand_id: str, store_id: str) -> Store:
    return get_object_or_404(Store, brand=own_brand(request, brand_id), id=store_id)


def listed(request: HttpRequest, items: list[dict], *, page: Page) -> HttpResponse:
    body = {"items": with_bad_item(request, items)}
    return JsonResponse(body | ({"offsetToken": page.next_token} if page.next_token else {}))


def named(row: Listed) -> dict:
    return {"id": str(row.id), "name": row.name}


def with_address(store: Store) -> dict:
    return named(store) | {"address": store.address}
