"""Every address of the owner's pages: who may open it, how, and what it takes. A new one has to be entered here."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.urls import URLPattern, reverse
from django.utils import timezone

from apps.accounts import urls as accounts
from apps.accounts.models import Organization
from apps.integrations import urls as integrations
from apps.integrations.models import ApiKey
from apps.onboarding import urls as onboarding
from apps.orders import urls as orders
from apps.shops.models import Connection
from apps.webhooks import hook_urls as hooks
from apps.webhooks.models import Delivery, Receipt
from tests import factories

State = Connection.State
KEYS = {"address": "https://93.184.216.34", "api_key": "key", "username": "user", "password": "secret"}

TO_ANN = {"first_name": "Ann", "last_name": "de Vries", "company": "Hats", "address1": "Main Street 1", "address2": "A"}
TO_ANN |= {"zip": "2611 AA", "city": "Delft", "province": "ZH", "country": "NL", "phone": "1", "email": "ann@b.example"}
ADDRESS = {f"to-{name}": value for name, value in TO_ANN.items()} | {"to-version": "1"}

ADDRESS_TO_HEAR = {"url": "https://93.184.216.34/in", "name": "Books", "headers": "X-Token: a"}
MESSAGES_ASKED = ("integration", "shop", "direction", "entity", "status")


@dataclass(frozen=True)
class Route:
    """`need` is the permission asked for (and `need_to_post`, where that is another one).

    `of` is what the address's id belongs to: a draft, a connection, an invitation, …; `takes` is what a form may
    hold, with a good value; `query` what may stand behind the question mark.
    """

    need: str
    of: str = ""
    need_to_post: str = ""
    methods: str = "GET POST"
    takes: dict[str, str] = field(default_factory=dict)
    query: tuple[str, ...] = ()


ROUTES = {
    "home": Route("see", methods="GET", query=("page",)),
    "connect": Route("connect", takes={"platform": "otter"}),
    "connect-warehouse": Route("connect", takes={"platform": "pio"}),
    "connect-callback": Route("connect", methods="GET", query=("state", "code")),
    "connect-resume": Route("connect", "draft", methods="GET"),
    "connect-authorize": Route("connect", "draft", takes={"integration": "its own"}),
    "connect-brand": Route("connect", "draft", takes={"brand": "its own"}, query=("after",)),
    "connect-store": Route("connect", "draft", takes={"store": "its own"}, query=("after", "q", "stay")),
    "connect-taken": Route("connect", "draft", methods="GET"),
    "connect-identify": Route("connect", "draft", takes={"name": "Shop", "ext_shop_id": "shop"}),
    "connect-review": Route("connect", "draft", takes={"replaces": "old"}),
    "connect-progress": Route("see", "connection", methods="GET"),
    "connect-discard": Route("connect", "draft", methods="POST"),
    "store": Route("see", "connection", methods="GET"),
    "products": Route("see", "connection", methods="GET", query=("q", "after")),
    "products-csv": Route("see", "connection", methods="GET"),
    "unknown-skus": Route("see", "integration", methods="GET", query=("page", "ignored", "undo")),
    "answer-sku": Route(
        "connect", "integration", methods="POST", takes={"sku": "HAT", "do": "accept", "product": "1", "ours": "OURS"}
    ),
    "sure-skus": Route("connect", "integration"),
    "undo-skus": Route("connect", "integration", methods="POST", takes={"version": "1"}),
    "decide-skus": Route("manage", "integration", methods="POST", takes={"shop": "its own", "creates": "its own"}),
    "mapping": Route(
        "see",
        "integration",
        need_to_post="connect",
        takes={"text": "A:B", "note": "because", "based_on": "0", "version": "1"},
    ),
    "shipping": Route("see", methods="GET"),
    "shipping-methods": Route(
        "see", "integration", need_to_post="connect", takes={"name": "Express", "service": "DHL", "fallback": "POST"}
    ),
    "orders": Route("see", methods="GET", query=("q", "state", "shop", "reason", "ref", "after")),
    "order": Route("see", "order", methods="GET"),
    "order-address": Route("connect", "order", methods="POST", takes=ADDRESS),
    "order-notes": Route("connect", "order", methods="POST", takes={"tags": "vip", "notes": "Ring", "version": "1"}),
    "order-cancel": Route("connect", "order"),
    "order-release": Route("connect", "order", methods="POST"),
    "order-route": Route("manage", "order", methods="POST"),
    "hold-orders": Route("connect", "connection", methods="POST", takes={"minutes": "2"}),
    "save-mapping": Route("connect", "integration", methods="POST", takes={"draft": "a" * 32}),
    "mapping-csv": Route("see", "integration", methods="GET"),
    "product": Route("see", "product", methods="GET", query=("before",)),
    "differences": Route("see", "connection", methods="GET", query=("after",)),
    "compare": Route("connect", "connection", methods="POST"),
    "put-right": Route("connect", "connection", methods="POST", takes={"drift": "1"}),
    "drift-limit": Route("connect", "connection", methods="POST", takes={"limit": "2"}),
    "keep-back": Route("connect", "connection", methods="POST", takes={"pieces": "2"}),
    "tell-again": Route("connect", "connection", methods="POST"),
    "reconnect": Route("connect", "keyed", takes=KEYS),
    "sync": Route("connect", "connection", methods="POST"),
    "stop": Route("connect", "connection", methods="POST"),
    "pause": Route("connect", "connection", methods="POST"),
    "resume": Route("connect", "connection", methods="POST"),
    "disconnect": Route("connect", "connection"),
    "undo-disconnect": Route("connect", "connection", methods="POST"),
    "change-id": Route("connect", "connection", takes={"ext_shop_id": "shop"}),
    "hooks": Route("see", methods="GET", query=("page",)),
    "add-hook": Route("connect", takes=ADDRESS_TO_HEAR | {"events": "order.updated"}),
    "hook": Route("see", "endpoint", methods="GET"),
    "hook-address": Route("connect", "endpoint", takes=ADDRESS_TO_HEAR),
    "hook-events": Route("connect", "endpoint", takes={"events": "order.updated"}),
    "hook-filter": Route("connect", "hook", takes={"field": "number", "op": "equals", "value": "#1"}),
    "hook-secret": Route("connect", "endpoint", takes={"hours": "24"}),
    "replay-failed": Route("connect", "endpoint", takes={"expected": "1"}),
    "test-hook": Route("connect", "endpoint", methods="POST", takes={"event": "order.created"}),
    "pause-hook": Route("connect", "endpoint", methods="POST"),
    "resume-hook": Route("connect", "paused_endpoint", takes={"choice": "all"}),
    "remove-hook": Route("connect", "endpoint"),
    "messages": Route("see", methods="GET", query=(*MESSAGES_ASKED, "q", "after")),
    "message-out": Route("see", "delivery", methods="GET"),
    "replay-out": Route("connect", "delivery", methods="POST"),
    "message-in": Route("see", "receipt", methods="GET"),
    "replay-in": Route("connect", "receipt", methods="POST"),
    "apps": Route("see", methods="GET"),
    "disconnect-app": Route("manage", "app"),
    "keys": Route("manage", methods="GET"),
    "make-key": Route("manage", takes={"name": "Script", "grants": "orders:read"}),
    "end-key": Route("manage", "key"),
    "team": Route("see", need_to_post="manage", takes={"email": "new@example.com", "role": "viewer"}),
    "resend-invitation": Route("manage", "invitation", methods="POST"),
    "withdraw-invitation": Route("manage", "invitation", methods="POST"),
    "change-role": Route("manage", "membership", methods="POST", takes={"role": "viewer"}),
    "remove-member": Route("manage", "membership", methods="POST"),
    "accept-invitation": Route("anyone", "token"),
}
WITH_ID = {name: route for name, route in ROUTES.items() if route.of not in {"", "token"}}


def names() -> set[str]:
    """The names of all addresses there are."""
    patterns: list[URLPattern] = [*onboarding.urlpatterns, *accounts.urlpatterns, *integrations.urlpatterns]
    patterns += [*orders.owners, *hooks.urlpatterns]
    return {pattern.name for pattern in patterns}


def fields() -> Iterator[tuple[str, str]]:
    """Every field of every form, as (address, field)."""
    for name, route in ROUTES.items():
        yield from ((name, taken) for taken in route.takes)


def parameters() -> Iterator[tuple[str, str]]:
    """Every parameter of every query, as (address, parameter)."""
    for name, route in ROUTES.items():
        yield from ((name, taken) for taken in route.query)


def rows(organization: Organization) -> dict[str, Any]:
    """One of everything an address can belong to, in this organization."""
    now = timezone.now()
    integration = factories.make_integration(organization=organization, brands_listed_at=now)
    brand = factories.brand_of(integration, stores_listed_at=now)
    factories.brand_of(integration)
    stores = [factories.make_store(brand=brand) for _ in range(2)]
    chosen = {"brand": brand, "store": stores[0], "name": "Hats", "ext_shop_id": "hats"}
    keyed = factories.make_integration(organization=organization, connector="vendure", secrets={"api_key": "x"})
    app = factories.make_partner_integration(organization=organization)
    factories.make_authorization(integration=app)
    endpoint = factories.make_endpoint(organization=organization, url="https://127.0.0.1:9/", headers={"X-A": "a"})
    hook = factories.make_hook(endpoint=endpoint, event="order.created")
    level = factories.make_level(product=factories.make_product(organization=organization))
    return {
        "product": level.product,
        "order": factories.make_order(shop=factories.make_shop(integration=integration)),
        "integration": integration,
        "draft": factories.make_draft(integration=integration, **chosen),
        "connection": factories.make_connection(integration=integration, store=stores[1]),
        "keyed": factories.make_connection(integration=keyed),
        "app": app,
        "endpoint": endpoint,
        "paused_endpoint": factories.make_endpoint(organization=organization, state="paused", reason="asked"),
        "hook": hook,
        "delivery": factories.make_delivery(hook=hook, state=Delivery.State.FAILED),
        "receipt": factories.make_receipt(integration=integration, state=Receipt.State.FAILED),
        "key": ApiKey.objects.by_token(factories.make_key(integration=integration)).get(),
        "invitation": factories.make_invitation(organization=organization, token=f"token of {organization.pk}"),
        "membership": factories.make_membership(organization=organization, role="member"),
    }


def address(name: str, made: dict[str, Any]) -> str:
    """Where the route leads for these rows."""
    of = ROUTES[name].of
    if not of:
        return reverse(name)
    return reverse(name, args=[factories.INVITATION_TOKEN if of == "token" else made[of].pk])
