"""Otter's orders and webhooks at the control endpoint and on the store's page. Manual: apps/sandbox/control.py."""

import json
import uuid
from collections.abc import Iterator

from django import forms
from django.forms.models import model_to_dict
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from apps.sandbox.json_body import cleaned, json_object
from apps.sandbox.loopback import control
from apps.sandbox.otter import messages, placing
from apps.sandbox.otter.models import Application, Message, Order, Store

MOST = 1_000


class OrdersForm(forms.Form):
    """`items` are {sku, quantity}; `details` members of the order as published, instead of those made up."""

    count = forms.IntegerField(min_value=1, max_value=MOST, required=False)
    source = forms.RegexField(r"^[a-z0-9-]{1,50}$", required=False)
    items = forms.JSONField(required=False)
    details = forms.JSONField(required=False)

    def clean_items(self) -> list | None:
        items = self.cleaned_data["items"]
        if items is not None and not (isinstance(items, list) and all(map(is_item, items))):
            raise forms.ValidationError("must be a list of {sku, quantity}")
        return items

    def clean_details(self) -> dict | None:
        details = self.cleaned_data["details"]
        if details is not None and not isinstance(details, dict):
            raise forms.ValidationError("must be an object")
        return details


def is_item(one: object) -> bool:
    if not isinstance(one, dict) or set(one) != {"sku", "quantity"}:
        return False
    return isinstance(one["sku"], str) and isinstance(one["quantity"], int) and 0 < one["quantity"] <= MOST


class PingForm(forms.Form):
    client_id = forms.ModelChoiceField(Application.objects.exclude(webhook_url=""))
    store_id = forms.CharField(max_length=255)


@control("GET", "POST")
def orders(request: HttpRequest, *, store_id: uuid.UUID) -> HttpResponse:
    """GET streams the ledger of the store's orders as JSON lines; POST places some: 201 with their ids."""
    store = get_object_or_404(Store.objects.select_related("brand__organization"), id=store_id)
    if request.method == "GET":
        return StreamingHttpResponse(lines_of(store), content_type="application/x-ndjson")
    wanted = cleaned(OrdersForm(json_object(request)))
    wishes = {"items": wanted["items"], "source": wanted["source"] or placing.SOURCE, "details": wanted["details"]}
    made = [placing.place(store, **wishes) for _ in range(wanted["count"] or 1)]
    return JsonResponse({"orders": [str(order.id) for order in made]}, status=201)


def lines_of(store: Store) -> Iterator[str]:
    for order in store.orders.order_by("number").prefetch_related("entries").iterator(chunk_size=500):
        yield json.dumps(shown(order)) + "\n"


def shown(order: Order) -> dict:
    """An order as in the API, with every time that something was done to it, oldest first."""
    history = [{"what": entry.what, "at": entry.at.isoformat()} for entry in order.entries.all()]
    return {"id": str(order.id), "source": order.source, "history": history, "order": order.payload}


@control("GET", "PATCH", "DELETE")
def order(request: HttpRequest, *, order_id: uuid.UUID) -> HttpResponse:
    """PATCH replaces members of the order, DELETE is its customer's cancelling: both are told by webhook."""
    found = get_object_or_404(Order.objects.select_related("store"), id=order_id)
    if request.method == "DELETE":
        placing.cancel(found)
    if request.method == "PATCH":
        placing.change(found, json_object(request))
    return JsonResponse(shown(found))


@control("GET")
def deliveries(request: HttpRequest) -> HttpResponse:
    rows = Message.objects.order_by("created_at")
    if "state" in request.GET:
        rows = rows.filter(state=request.GET["state"])
    return JsonResponse({"deliveries": [delivery(message) for message in rows]})


def delivery(message: Message) -> dict:
    return {"event_id": str(message.pk)} | model_to_dict(message, exclude=["event_id"])


@control("POST")
def retry(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"due": messages.retry_now()})


@control("POST")
def ping(request: HttpRequest) -> HttpResponse:
    wanted = cleaned(PingForm(json_object(request)))
    messages.ping(wanted["client_id"], store_id=wanted["store_id"])
    return HttpResponse(status=204)


@require_POST
def place(request: HttpRequest, *, store_id: uuid.UUID) -> HttpResponse:
    """The button on a store's page."""
    placing.place(get_object_or_404(Store.objects.select_related("brand__organization"), id=store_id))
    return redirect(f"/stores/{store_id}/")


@require_POST
def cancel(request: HttpRequest, *, order_id: uuid.UUID) -> HttpResponse:
    found = get_object_or_404(Order.objects.select_related("store"), id=order_id)
    placing.cancel(found)
    return redirect(f"/stores/{found.store.id}/")
