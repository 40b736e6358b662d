import pytest

from .test_picking import refused


@pytest.fixture
def rules(sandbox):
    """Sets the rules of the seeded organization; afterwards there are none."""
    yield lambda *rules: sandbox.control("PUT", "pio/pick_rules", json={"rules": list(rules)}).json()["rules"]
    sandbox.control("PUT", "pio/pick_rules", json={})


def rule(kind, value, priority=0, *, blocks=False):
    return {"kind": kind, "value": value, "priority": priority, "blocks": blocks}


def made(shop, product, **traits):
    """The fulfilment of a new order with these traits."""
    return shop.fulfillment(shop.order(product, **traits))


def listed(shop):
    return [found["id"] for found in shop.fulfillments()]


def test_behaviour_75_the_highest_priority_comes_first_and_then_the_oldest(shop, rules):
    rules(rule("tag", "vip", 5), rule("tag", "slow", -1), rule("shipping_method", "express", 9))
    product = shop.stocked(9)
    traits = [{}, {"tags": ["slow"]}, {"tags": ["vip"]}, {"tags": ["vip", "slow"]}, {"shipping_method": "express"}, {}]
    ids = [made(shop, product, **these)["id"] for these in traits]
    assert listed(shop) == [ids[place] for place in (4, 2, 3, 0, 5, 1)]


def test_behaviour_75_a_tag_fits_exactly(shop, rules):
    rules(rule("tag", "vip", 5))
    assert made(shop, shop.stocked(1), tags=["VIP", "vip customer"])["priority"] == 0


def test_behaviour_75_a_rule_can_be_of_a_shop(shop, rules):
    other = shop.client.shop()
    rules(rule("shop", other.ext_shop_id, 3))
    assert [made(each, each.stocked(1))["priority"] for each in (shop, other)] == [0, 3]


def test_behaviour_75_a_blocked_order_is_not_picked_until_its_rule_is_gone(shop, rules, auto_pick):
    rules(rule("tag", "fraud", blocks=True))
    order = shop.order(shop.stocked(1), tags=["fraud"])
    fulfillment = shop.fulfillment(order)
    auto_pick(enabled=True)
    assert shop.good("GET", f"orders/{order['id']}")["state"] == "blocked"
    assert refused(shop, "start", fulfillment) == "A priority rule blocks it."
    assert shop.fulfillments() == [fulfillment]
    auto_pick(enabled=False)
    rules()
    assert shop.at_port("start", fulfillment)["state"] == "picking"


def test_new_rules_and_new_tags_put_what_is_there_in_its_new_order(shop, rules):
    product = shop.stocked(2)
    first, second = (made(shop, product, tags=tags) for tags in ([], ["vip"]))
    assert rules(rule("tag", "vip", 5))[0]["priority"] == 5
    assert listed(shop) == [second["id"], first["id"]]
    shop.good("PUT", f"orders/{second['order_id']}", json={"tags": []})
    assert listed(shop) == [first["id"], second["id"]]


@pytest.mark.parametrize("wrong", [{"kind": "moon", "value": "x"}, {"kind": "tag"}, "x"])
def test_a_rule_that_makes_no_sense_is_refused(sandbox, rules, wrong):
    answer = sandbox.ask("PUT", "/_control/pio/pick_rules", json={"rules": [wrong]})
    assert (answer.status_code, [detail["attribute"] for detail in answer.json()["details"]]) == (422, ["rules"])
