"""`POST /manager/menu/v1/menus/entities/availability/(suspend|unsuspend)`: taking items off sale, and back on.

The vendor names the items by "the IDs as you represent them in your system". Which these are of an inventory's items is
not published; here they are their `externalId`, or Otter's own id where there is none. What the vendor says to an id it
does not know is not published either; here the whole call is 422 and changes nothing. The answer is a job that pends;
what it asks for has happened by then.
"""

import uuid
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse

from apps.sandbox.errors import Refused
from apps.sandbox.json_body import json_object
from apps.sandbox.otter.bearer import call, connected_store
from apps.sandbox.otter.models import Product, Store

MOST = 500
LONGEST_NOTE = 1_000


@call(scope="manager.menus", per_minute=16, methods=("POST",))
def suspend(request: HttpRequest) -> HttpResponse:
    """Needs `entityIds`, a `note` and a `status` that says whether it is for good."""
    body = json_object(request)
    status = body.get("status")
    if not isinstance(status, dict) or not isinstance(status.get("isIndefinite"), bool):
        raise Refused(422, "The request body is not valid", details={"status": "isIndefinite is required"})
    return change(request, body, is_suspended=True, needs_note=True)


@call(scope="manager.menus", per_minute=16, methods=("POST",))
def unsuspend(request: HttpRequest) -> HttpResponse:
    return change(request, json_object(request), is_suspended=False, needs_note=False)


def change(request: HttpRequest, body: dict[str, Any], *, is_suspended: bool, needs_note: bool) -> HttpResponse:
    """Change all items that the body names: 202. Raises Refused (403, 422), and then none has changed."""
    store = connected_store(request)
    note = body.get("note", "")
    if not isinstance(note, str) or len(note) > LONGEST_NOTE or (needs_note and not note):
        raise Refused(422, "The request body is not valid", details={"note": "must be a text"})
    named(store, body.get("entityIds")).update(is_suspended=is_suspended, availability_note=note)
    job = {"id": str(uuid.uuid4()), "status": "PENDING"}
    return JsonResponse({"jobReference": job, "jobType": "UPDATE_AVAILABILITY"}, status=202)


def named(store: Store, ids: Any) -> QuerySet[Product]:
    """The products with these ids. Raises Refused (422) when one is unknown, or it is no list of ids."""
    if not isinstance(ids, list) or not 0 < len(ids) <= MOST or not all(isinstance(one, str) for one in ids):
        raise Refused(422, "The request body is not valid", details={"entityIds": f"must be 1 to {MOST} texts"})
    found = store.products.filter(Q(sku__in=ids) | Q(sku="", id__in=[one for one in ids if is_uuid(one)]))
    known = {product.sku or str(product.id) for product in found}
    if unknown := sorted(set(ids) - known):
        raise Refused(422, "The request body is not valid", details={"entityIds": f"unknown: {unknown[0]:.100}"})
    return found


def is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
