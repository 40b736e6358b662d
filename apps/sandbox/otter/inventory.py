"""`GET /inventories/v1/summaries`: what a connected store sells, page by page; and `GET /v1/ping`.

Beyond the published fields an item may carry `price {currencyCode, amount}` and `imageUrl`, which the vendor
does not document here but which a catalogue needs. A field without a value is left out. `gtin` has 14 digits:
shorter numbers are padded with zeros, as the vendor says. A suspended item has nothing sellable.
The vendor's own specification names the two members of the body `inventorySummaries` and `nextToken`;
the switch `published_inventory_names` turns from `items` and `offsetToken` to those.
"""

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from apps.sandbox.cursors import limit_of
from apps.sandbox.errors import Refused
from apps.sandbox.models import Switches
from apps.sandbox.otter.bearer import call, connected_store
from apps.sandbox.otter.models import Product, Store
from apps.sandbox.otter.paging import page_of, with_bad_item

FIELDS = [field.attname for field in Product._meta.concrete_fields]


@call(scope="catalog", per_minute=32)
def summaries(request: HttpRequest) -> HttpResponse:
    store = connected_store(request)
    limit = limit_of(request, most=500, default=100)
    page = page_of(rows_of(store), request=request, scope=f"products of {store.id}", limit=limit)
    items = with_bad_item(request, [summary(product) for product in page.rows])
    published = Switches.current().published_inventory_names
    rows, following = ("inventorySummaries", "nextToken") if published else ("items", "offsetToken")
    return JsonResponse({rows: items} | ({following: page.next_token} if page.next_token else {}))


def rows_of(store: Store) -> QuerySet:
    """The products of a store as light rows: half the time of model instances."""
    return store.products.values_list(*FIELDS, named=True)


def summary(product: Product) -> dict:
    """A product, or a row of `rows_of`, in the API's words."""
    fields = {
        "id": str(product.id),
        "gtin": product.gtin.zfill(14) if product.gtin else None,
        "name": product.name,
        "slug": product.slug or None,
        "externalId": product.sku or None,
        "sellableQuantity": 0 if product.is_suspended else product.sellable,
        "unsellableQuantity": product.unsellable,
        "inboundQuantity": product.inbound,
        "price": price(product),
        "imageUrl": image_url(product),
    }
    return {name: value for name, value in fields.items() if value is not None}


def image_url(product: Product) -> str | None:
    """Where this process draws the product's picture, if it has one."""
    if not product.picture:
        return None
    return f"{settings.BASE_URL}/pictures/{product.picture}/{product.id}.svg"


def price(product: Product) -> dict | None:
    if product.price is None:
        return None
    return {"currencyCode": product.currency, "amount": product.price / 100}


@call(scope="ping", per_minute=8)
def ping(request: HttpRequest) -> HttpResponse:
    """Pong, or 418 with the message that X-Echo-Error asks for."""
    connected_store(request)
    if "X-Echo-Error" in request.headers:
        raise Refused(418, request.headers["X-Echo-Error"])
    return JsonResponse({"response": "pong", "currentTime": timezone.now().isoformat()})
