"""The control endpoint: how tests, the demo and chaos drills steer the sandbox. This is its manual.

JSON in and out, from this machine only, no login. Wrong input is 400, 404 or 422 with `{message, details}`
and changes nothing. In paths, {storeId} and {productId} are Otter's own ids, as in its API.

What is there

GET /_control/state
    Users with e-mail and password, organizations with brands and stores (and their number of products),
    applications, connections, faults, switches; in `pio` the users, organizations, integrations and shops of Pio.
GET /_control/requests
    The ledger: {at, method, path, query, store, status, faults} of each vendor call, oldest first, the last
    10,000, the values of secrets hidden. DELETE empties it.
POST /_control/reset
    Everything back to the first start: faults, switches, tokens, connections, catalogues and the ledger.
    The clients of the environment are registered again.

What goes wrong

POST /_control/faults {kind, times, path, retry_after, delay}
    201 with the fault. `kind` is one of KINDS in apps/sandbox/faults.py. `times` is 1 unless given, null is
    until lifted. Without `path` it waits for Otter's next resource call (organization, inventories, availability,
    ping), with one for any vendor request whose path starts so: "/api/v1/" is all of Pio. `retry_after` in whole
    seconds is for rate_limited, `delay` in seconds (3 unless given) for slow. The hook_ kinds wait for hook
    deliveries (orders. is Otter's), one use each; there `path` is the beginning of an event's name, and `delay` is for
    hook_late and hook_shuffled. lost_answer waits for a call that writes, and is of one that was taken.
DELETE /_control/faults
    Lifts all.

How it behaves

PATCH /_control/switches {refresh_tokens, rate_limits, published_inventory_names, token_seconds}
    Any of them; answers all. refresh_tokens: the token endpoint gives rotating refresh tokens. rate_limits:
    the vendor's published limits hold. published_inventory_names: the body of the summaries has
    inventorySummaries and nextToken. token_seconds: the life of access tokens made from now on.

What there is to sell

POST /_control/stores {brand, count}
    Adds stores without products to the brand with that id: 201 with their ids in `stores`.
POST /_control/stores/{storeId}/catalogue {products, seed}
    Replaces the catalogue. The same numbers give the same products with the same ids.
GET /_control/stores/{storeId}/products
    The whole truth as JSON lines, in the API's words and order.
POST /_control/stores/{storeId}/products
    Adds one: 201. Fields as in the API; `name` is required.
GET, PATCH, DELETE /_control/stores/{storeId}/products/{productId}
    PATCH changes the given fields only.

Who orders

POST /_control/stores/{storeId}/orders {count, source, items: [{sku, quantity}], details}
    Customers order (one unless `count` says more): 201 with the ids in `orders`, and orders.new_order by webhook.
    Without `items` they take what is there; `details` replace members of the order as published.
GET /_control/stores/{storeId}/orders
    The ledger as JSON lines: each order with `history`, every time that something was done to it.
GET, PATCH, DELETE /_control/orders/{orderId}
    PATCH replaces members of the order, DELETE is its customer's cancelling: orders.update by webhook.
GET /_control/deliveries?state=…, POST /_control/deliveries/retry
    The webhooks {deliveries}, oldest first, and as for Pio's; retry sends what waits at once: {due}.
POST /_control/ping {client_id, store_id}
    The application gets a ping: 204.

Who may call

POST /_control/applications {client_id, client_secret, redirect_uris, name, webhook_url, webhook_secret}
    Registers an application or changes the one with that id: 201. With a webhook_url it hears of the orders of the
    stores that it has connected.

Pio: its warehouse

POST /_control/pio/store, /_control/pio/pick, /_control/pio/count {sku or product, quantity, kind, name}
    As at the port page: 200 with the log entry, {} for a count that finds what was known. `product` is Pio's id,
    `kind` grid (unless given) or shelf, `name` the place there (A1 unless given). 409 when less lies there.
GET /_control/pio/products
    The whole truth as JSON lines: numbers, places, and which shop calls a product what.
POST /_control/pio/products {count, shop, in_stock}
    Makes products with pictures: 201 with {made}. With `shop`, Pio's id of one, they are linked to it; `in_stock`
    pieces of each lie in the grid. Nobody is told. A second call makes others.
GET /_control/pio/log
    Every move as JSON lines, oldest first.

Pio: its orders

GET /_control/pio/orders
    The ledger as JSON lines: every order that was ever accepted, deleted ones too (`step` is new, waiting for stock,
    prepared or deleted), with its lines and {id, state} of its fulfilment.
GET /_control/pio/orders/pairs
    {accepted, pairs, more_than_once}: the last lists {shop, ext_order_id, ext_fulfillment_order_id, count, living}.
GET /_control/pio/fulfillments
    All as JSON lines in the order of the pick list: as in the API, with shop, ext_shop_id, priority and blocked.
POST /_control/pio/fulfillments/{id}/start, …/send {pieces, rest_follows, carrier, number, url}, …/reject {reason}
    As at the port page: 200 with the fulfilment, 409 when that cannot be now. `pieces` is {ext_order_line_item_id:
    quantity}, without it everything that is left; unless `rest_follows` is true, nothing comes after it.
PUT /_control/pio/pick_rules {rules: [{kind, value, priority, blocks}], organization}
    Replaces the rules of an organization, of the first one unless given. `kind` is tag, shop (an ext_shop_id) or
    shipping_method. The highest priority that fits comes first; a blocked order cannot be picked. GET shows them.
PUT /_control/pio/auto_pick {enabled, delay}
    Everything is picked and sent whole by itself, `delay` seconds (0 unless given) after it could be. GET shows it.

Pio: its hook deliveries

GET /_control/pio/deliveries?state=…
    {deliveries} oldest first, with body, attempts and last status; `state` (waiting, delivered, given_up, dropped)
    shows one kind.
POST /_control/pio/deliveries/retry
    What waits is sent at once: {due}.
POST /_control/pio/deliveries/pass {seconds}
    Time passes for what waits: attempts come nearer, and after 24 hours a delivery is given up.

Pio: who may call

POST /_control/pio/organizations {name}, POST /_control/pio/users {organization, email, password, role}
    201 with the id. `role` is admin or picker, `organization` an id.
POST /_control/pio/integrations {client_id, client_secret, redirect_uris, name}
    Registers an integration or changes the one with that id, and lets it work again: 201.
POST /_control/pio/revoke {shop}
    The shop's tokens stop working: {revoked}. Its integration binds the next token to it by the same ext_shop_id.
"""

from django import forms
from django.forms.models import model_to_dict
from django.http import HttpRequest, HttpResponse, JsonResponse

from apps.sandbox import ledger
from apps.sandbox.faults import KINDS
from apps.sandbox.json_body import cleaned, json_object
from apps.sandbox.loopback import control
from apps.sandbox.models import Fault, Switches
from apps.sandbox.otter import control as otter
from apps.sandbox.otter import rate_limits
from apps.sandbox.pio import control as pio


class FaultForm(forms.Form):
    kind = forms.ChoiceField(choices=list(KINDS.items()))
    times = forms.IntegerField(min_value=1, max_value=1_000_000, required=False)
    path = forms.CharField(max_length=200, required=False)
    retry_after = forms.IntegerField(min_value=0, max_value=86_400, required=False)
    delay = forms.FloatField(min_value=0, max_value=120, required=False)


class SwitchesForm(forms.ModelForm):
    class Meta:
        model = Switches
        fields = ["refresh_tokens", "rate_limits", "published_inventory_names", "token_seconds"]


@control("GET")
def state(request: HttpRequest) -> HttpResponse:
    faults = [model_to_dict(fault) for fault in Fault.objects.order_by("pk")]
    return JsonResponse(otter.state() | {"pio": pio.state(), "faults": faults, "switches": switches_now()})


@control("GET", "DELETE")
def requests(request: HttpRequest) -> HttpResponse:
    if request.method == "DELETE":
        ledger.ENTRIES.clear()
        return HttpResponse(status=204)
    return JsonResponse({"requests": list(ledger.ENTRIES)})


@control("POST")
def reset(request: HttpRequest) -> HttpResponse:
    Fault.objects.all().delete()
    Switches.objects.all().delete()
    otter.reset()
    pio.reset()
    ledger.ENTRIES.clear()
    return HttpResponse(status=204)


@control("POST", "DELETE")
def faults(request: HttpRequest) -> HttpResponse:
    if request.method == "DELETE":
        Fault.objects.all().delete()
        return HttpResponse(status=204)
    wanted = cleaned(FaultForm({"times": 1} | json_object(request)))
    return JsonResponse(model_to_dict(order(wanted)), status=201)


def order(wanted: dict) -> Fault:
    """Make the fault that a valid FaultForm describes."""
    delay = {} if wanted["delay"] is None else {"delay": wanted["delay"]}
    return Fault.objects.create(**{name: wanted[name] for name in ("kind", "times", "path", "retry_after")}, **delay)


@control("PATCH")
def switches(request: HttpRequest) -> HttpResponse:
    form = SwitchesForm(switches_now() | json_object(request), instance=Switches.current())
    cleaned(form)
    flip(form)
    return JsonResponse(switches_now())


def flip(form: SwitchesForm) -> None:
    """Save the switches of a valid form; whoever was over a limit is forgiven."""
    form.save()
    rate_limits.forgive()


def switches_now() -> dict:
    return model_to_dict(Switches.current(), fields=SwitchesForm.Meta.fields)
