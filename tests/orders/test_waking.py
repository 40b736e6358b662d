"""What releases an order that waits: the news of it does, without any clock."""

import pytest

from apps.audit.trail import Actor
from apps.catalog import arranging, locating, registering, remapping, stocking, worklist
from apps.catalog.models import SkuMapping
from apps.catalog.pairs import Pair
from apps.catalog.stocking import By, Change, Reported
from apps.integrations import switching
from apps.integrations.connectors.base import RemoteProduct
from apps.orders import cancelling, nudging, revising, ruling, shipping
from apps.orders.models import Nudge, Order, RoutingRule
from apps.orders.sorting import sort_due
from tests.factories import (
    TO_ANN,
    make_custom_integration,
    make_level,
    make_listing,
    make_location,
    make_order,
    make_organization,
    make_product,
    make_routing_rule,
    make_shop,
    make_unlinked,
    make_warehouse,
)

pytestmark = pytest.mark.django_db

ANNA = Actor("anna@hats.example")
BY = By("operator", "anna")


def waits(order, *codes):
    """It was looked at, and rests with these hindrances."""
    sort_due()
    order.refresh_from_db()
    assert (order.due_at, tuple(order.hindrances.values_list("code", flat=True))) == (None, codes)
    assert sort_due() == 0


def state(order):
    """After the news was heeded."""
    sort_due()
    order.refresh_from_db()
    return order.state


@pytest.fixture
def shop():
    return make_shop()


@pytest.fixture
def hat(shop):
    """A product that the shop's organization has plenty of."""
    made = make_product(organization=shop.organization, sku="HAT")
    make_level(product=made)
    return made


def unknown(shop, sku="NOBODYS", **line):
    order = make_order(shop=shop, lines=[{"sku": sku} | line])
    waits(order, "unknown_sku")
    return order


def test_a_product_that_a_partner_adds(shop):
    order = unknown(shop)
    [outcome] = registering.register(shop, [RemoteProduct(ext_product_id="7", sku="NOBODYS", name="Hat")])
    assert outcome.status == "created"
    assert state(order) == "waiting"
    assert list(order.hindrances.values_list("code", flat=True)) == ["no_location"]


def test_a_product_that_is_given_the_sku(shop, hat):
    order = unknown(shop)
    listing = make_listing(shop=shop, product=hat)
    registering.revise(listing, {"sku": "NOBODYS"}, actor=ANNA)
    assert state(order) == "ready"


def test_a_pair_that_is_saved(shop, hat):
    order = unknown(shop)
    remapping.save(shop.integration, [Pair("NOBODYS", "HAT")], origin=SkuMapping.Origin.LINE, actor=ANNA)
    assert state(order) == "ready"


def test_a_product_for_which_a_pair_stood_already(shop):
    remapping.save(shop.integration, [Pair("NOBODYS", "CAP")], origin=SkuMapping.Origin.LINE, actor=ANNA)
    order = unknown(shop)
    other = make_shop(integration=make_custom_integration(organization=shop.organization, category="shop"))
    registering.register(other, [RemoteProduct(ext_product_id="7", sku="CAP", name="Cap")])
    state(order)
    assert list(order.hindrances.values_list("code", flat=True)) == ["no_location"]


def test_a_listing_that_is_linked_by_hand(shop, hat):
    order = unknown(shop, ext_product_id="7")
    arranging.link(make_unlinked(shop=shop, sku="NOBODYS", ext_product_id="7"), hat, actor=ANNA)
    assert state(order) == "ready"


def test_a_listing_that_takes_no_part_in_orders_any_more(shop):
    order = unknown(shop)
    listing = make_unlinked(shop=shop, sku="NOBODYS")
    arranging.set_flags(listing, {"order_sync_enabled": False}, actor=ANNA)
    assert state(order) == "not_ours"


def test_a_product_that_is_made_of_it(shop):
    order = unknown(shop)
    make_unlinked(shop=shop, sku="NOBODYS")
    worklist.make_new(shop.integration, ["NOBODYS"], actor=ANNA)
    state(order)
    assert list(order.hindrances.values_list("code", flat=True)) == ["no_location"]


def test_a_sku_that_is_put_aside(shop):
    order = unknown(shop)
    make_unlinked(shop=shop, sku="NOBODYS")
    worklist.ignore(shop.integration, ["NOBODYS"], actor=ANNA)
    assert state(order) == "not_ours"


def test_an_unknown_sku_of_another_organization_stays_unknown(shop, hat):
    order = unknown(make_shop(), sku="CAP")
    registering.register(shop, [RemoteProduct(ext_product_id="7", sku="CAP", name="Cap")])
    assert (sort_due(), order.hindrances.count()) == (0, 1)


def test_an_address_that_is_completed(shop, hat):
    order = make_order(shop=shop, lines=[{"sku": "HAT"}], destination={"city": "Delft"})
    waits(order, *["incomplete_address"] * 4)
    revising.revise(order, {"destination": TO_ANN}, by=ANNA)
    assert state(order) == "ready"


def test_a_shipping_method_that_is_mapped(shop):
    integration = make_custom_integration(organization=shop.organization)
    level = make_level(location=make_location(integration=integration, kind="external"))
    shipping.save(integration, shipping.Methods({"Slow": "POST"}), actor=ANNA)
    order = make_order(shop=shop, lines=[{"sku": level.product.sku}], shipping_method="Express")
    waits(order, "unmapped_shipping_method")
    shipping.save(integration, shipping.Methods({"Slow": "POST", "Express": "DHL"}), actor=ANNA)
    assert (state(order), order.fulfillments.get().service) == ("ready", "DHL")


def test_a_rule_that_holds_it_back_no_more(shop, hat):
    rule = make_routing_rule(organization=shop.organization, kind="block", priority=0, name="Fraud check")
    order = make_order(shop=shop, lines=[{"sku": "HAT"}])
    waits(order, "blocked")
    assert (order.state, order.hindrances.get().ref) == ("blocked", "Fraud check")
    ruling.delete(rule, actor=ANNA)
    assert state(order) == "ready"


def test_a_tag_that_was_taken_away(shop, hat):
    make_routing_rule(organization=shop.organization, kind="block", priority=0, tags=["check"])
    order = make_order(shop=shop, lines=[{"sku": "HAT"}], tags=["check"])
    waits(order, "blocked")
    revising.revise(order, {"tags": ["checked"]}, by=ANNA)
    assert state(order) == "ready"


def test_a_rule_that_sends_it_elsewhere(shop, hat):
    empty = make_location(organization=shop.organization)
    rule = make_routing_rule(organization=shop.organization, kind="route", priority=0, location=empty)
    order = make_order(shop=shop, lines=[{"sku": "HAT"}])
    waits(order, "out_of_stock")
    ruling.replace(shop.organization, [], actor=ANNA)
    assert (state(order), RoutingRule.objects.filter(pk=rule.pk).exists()) == ("ready", False)


@pytest.fixture
def pending(shop):
    """An order for two pieces of which there is one."""
    product = make_product(organization=shop.organization, sku="CAP")
    make_level(product=product, on_hand=1)
    order = make_order(shop=shop, lines=[{"sku": "CAP", "quantity": 2}])
    waits(order, "out_of_stock")
    return order


def test_stock_that_arrives(pending):
    level = pending.lines.get().product.stock_levels.get()
    stocking.change(pending.organization, [Change(level.product_id, level.location_id, on_hand=1)], by=BY)
    assert state(pending) == "ready"


def test_stock_of_something_else_wakes_nobody(hat, pending):
    level = hat.stock_levels.get()
    stocking.change(pending.organization, [Change(hat.pk, level.location_id, on_hand=1)], by=BY)
    assert sort_due() == 0


def test_stock_that_goes_wakes_nobody(pending):
    level = pending.lines.get().product.stock_levels.get()
    stocking.change(pending.organization, [Change(level.product_id, level.location_id, on_hand=-1)], by=BY)
    assert not Nudge.objects.exists()


def test_stock_that_a_warehouse_reports(shop):
    integration = make_custom_integration(organization=shop.organization)
    place = make_location(integration=integration, kind="external")
    make_product(organization=shop.organization, sku="CAP")
    order = make_order(shop=shop, lines=[{"sku": "CAP"}])
    waits(order, "out_of_stock")
    stocking.report(place, [Reported("CAP", on_hand=1)], by=By("report", "wms", integration))
    assert state(order) == "ready"


def test_stock_that_another_order_gives_back(shop, pending):
    level = pending.lines.get().product.stock_levels.get()
    stocking.change(pending.organization, [Change(level.product_id, level.location_id, on_hand=1)], by=BY)
    assert state(pending) == "ready"
    other = make_order(shop=shop, lines=[{"sku": "CAP"}])
    waits(other, "out_of_stock")
    cancelling.cancel(pending, by=ANNA)
    assert state(other) == "ready"


def test_an_integration_that_is_connected_again(shop):
    warehouse = make_warehouse(organization=shop.organization).integration
    level = make_level(location=warehouse.locations.get())
    switching.disable(warehouse, actor=ANNA)
    order = make_order(shop=shop, lines=[{"sku": level.product.sku}])
    waits(order, "no_location")
    switching.enable(warehouse, actor=ANNA)
    assert state(order) == "ready"


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize(
    ("before", "after"), [({"is_active": False}, {"is_active": True}), ({"is_paused": True}, {"is_paused": False})]
)
def test_a_location_that_may_be_used_again(shop, shared, before, after):
    place = make_location(organization=shop.organization, shared=shared, **before)
    level = make_level(product=make_product(organization=shop.organization), location=place)
    order = make_order(shop=shop, lines=[{"sku": level.product.sku}])
    waits(order, "no_location")
    locating.change(place, after, actor=ANNA)
    assert state(order) == "ready"


def test_the_most_urgent_gets_what_arrives_then_the_oldest(shop):
    """Who has more priority by the rules of now, and of those who came first."""
    product = make_product(organization=shop.organization, sku="CAP")
    level = make_level(product=product, on_hand=0)
    orders = [make_order(shop=shop, lines=[{"sku": "CAP"}], tags=[tag]) for tag in ("", "", "vip", "vip")]
    sort_due()
    ruling.save(
        RoutingRule(organization=shop.organization, kind="priority", name="vip", tags=["vip"], priority=5), actor=ANNA
    )
    sort_due()
    for served in (orders[2:3], orders[2:], [orders[0], *orders[2:]]):
        stocking.change(shop.organization, [Change(product.pk, level.location_id, on_hand=1)], by=BY)
        sort_due()
        assert set(Order.objects.filter(state="ready")) == set(served)


def test_news_of_many_things_is_one_row():
    organization = make_organization()
    nudging.nudge(organization.pk, "out_of_stock", range(nudging.MOST + 1))
    assert list(Nudge.objects.values_list("organization", "code", "ref")) == [(organization.pk, "out_of_stock", "")]


def test_news_for_an_order_that_is_cancelled_wakes_nobody(pending):
    cancelling.cancel(pending, by=ANNA)
    Order.objects.filter(pk=pending.pk).update(due_at=None)
    nudging.nudge(pending.organization_id, "out_of_stock")
    assert sort_due() == 0
