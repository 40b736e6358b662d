"""From what happened to whom it is delivered: each hook hears of what its owner may see, and of nothing else."""

import json
from types import SimpleNamespace

import pytest

from apps.catalog.models import Location, Product, StockLevel
from apps.orders.models import Fulfillment, Order
from apps.webhooks.catalogue import EVENTS, Happened, body_of
from apps.webhooks.fanning import fan_out
from apps.webhooks.models import Delivery, Event
from tests.factories import (
    make_endpoint,
    make_event,
    make_fulfillment,
    make_hook,
    make_level,
    make_listing,
    make_location,
    make_order,
    make_product,
)

from .hearing import World, fits, make_world

pytestmark = pytest.mark.django_db
EVENT_OF = {
    Product: "product.created",
    StockLevel: "stock.changed",
    Order: "order.created",
    Fulfillment: "fulfillment.created",
}
OWN = {
    "stock.changed": {"in_stock": 5, "reserved": 0, "available": 5, "incoming": 0, "cause": "report", "change": 5},
    "order.created": {"state": "new", "before": ""},
    "fulfillment.created": {"state": "ready", "before": ""},
}


def fill(world: World) -> None:
    """Goods, stock, orders and what is done about them, of each shop and at each place; and of strangers."""
    own = {"organization": world.organization}
    by_hand = make_location(**own)
    grid = make_location(integration=world.wms, kind=Location.Kind.EXTERNAL)
    for shop in (world.first, world.second, world.store, None):
        product = make_product(**own)
        if shop:
            make_listing(shop=shop, product=product)
            line = {"sku": product.sku, "product": product, "quantity": 1}
            order = make_order(shop=shop, lines=[line])
        for place in (by_hand, grid):
            make_level(product=product, location=place)
            if shop:
                make_fulfillment(order=order, location=place)
    make_level()
    make_fulfillment()


def happen() -> None:
    """Something happens to each of them; what the ledger and others tell beside it is out of the way."""
    Event.objects.all().delete()
    for model, name in EVENT_OF.items():
        for row in model.objects.all():
            own = OWN.get(name, {})
            if model is StockLevel:
                own |= {"product_id": row.product_id, "sku": row.product.sku, "name": row.product.name}
                place = row.location
                own |= {"location_id": str(place.pk), "location_name": place.name, "location_kind": place.kind}
            if model is Fulfillment:
                own |= {"order_id": str(row.order_id)}
            entity = EVENTS[name].entity
            make_event(organization=row.organization, type=name, entity=entity, entity_id=str(row.pk), data=own or None)


def deliver() -> set[tuple[str, str, str]]:
    """The name of the endpoint, the entity and its id of each delivery."""
    while fan_out().events:
        pass
    rows = Delivery.objects.values_list("endpoint__name", "event__entity", "event__entity_id", "hook")
    assert len(set(rows)) == len(rows)
    return {(name, entity, pk) for name, entity, pk, _hook in rows}


def test_each_hook_hears_of_what_its_owner_may_see_and_of_nothing_else():
    world = make_world()
    fill(world)
    for name, who in world.principals.items():
        endpoint = make_endpoint(integration=who.integration, shop=who.shop, name=name)
        for event in EVENT_OF.values():
            make_hook(endpoint=endpoint, event=event)
    happen()
    expected = {
        (name, EVENTS[event].entity, str(pk))
        for name, who in world.principals.items()
        for model, event in EVENT_OF.items()
        for pk in model.objects.for_principal(SimpleNamespace(user=who)).values_list("pk", flat=True)
    }
    assert len(expected) > 50
    assert deliver() == expected


def test_peoples_hooks_hear_of_all_or_of_one_store():
    world = make_world()
    fill(world)
    for name, shop in (("everything", None), ("store", world.store)):
        endpoint = make_endpoint(organization=world.organization, shop=shop, name=name)
        for event in EVENT_OF.values():
            make_hook(endpoint=endpoint, event=event)
    happen()
    heard = deliver()
    counts = {name: sum(one == name for one, *_ in heard) for name in ("everything", "store")}
    assert counts == {"everything": 4 + 8 + 3 + 6, "store": 1 + 2 + 1 + 2}


def test_what_is_told_in_the_end_is_as_the_schema_says():
    world = make_world()
    fill(world)
    endpoint = make_endpoint(organization=world.organization)
    for event in (*EVENT_OF.values(), "inventory_levels.update", "fulfillments.create"):
        make_hook(endpoint=endpoint, event=event)
    happen()
    deliver()
    deliveries = Delivery.objects.select_related("hook", "event")
    assert len(deliveries) == 4 + 8 + 3 + 6 + 8 + 6
    for one in deliveries:
        event, published = one.event, EVENTS[one.hook.event]
        said = json.dumps(event.data, ensure_ascii=False)
        happened = Happened(event.type, event.entity, event.entity_id, event.sequence, event.created_at, said)
        assert fits(json.loads(body_of(published, happened)), published.message) == []
