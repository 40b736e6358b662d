import pytest

from .driver import error_of

TRACKING = {"carrier": "PostNL", "number": "3S123", "url": "https://track.example/3S123"}


def refused(shop, deed, fulfillment, **details):
    """The sentence with which the port refuses."""
    path = f"/_control/pio/fulfillments/{fulfillment['id']}/{deed}"
    answer = shop.client.sandbox.ask("POST", path, json=details)
    assert answer.status_code == 409, answer.text
    return answer.json()["message"]


@pytest.fixture
def product(shop):
    return shop.stocked(5)


@pytest.fixture
def fulfillment(shop, product):
    return shop.fulfillment(shop.order(product, 3))


def test_behaviour_76_what_is_sent_lowers_the_stock_and_everybody_is_told(shop, product, fulfillment, listener):
    for event in ("inventory_log.create", "inventory_levels.update", "fulfillments.update"):
        shop.hook(event, listener.url)
    sent = shop.at_port("send", fulfillment, **TRACKING)
    assert shop.numbers(product) == [2, 0, 2]
    said = {message.event: message.data for message in listener.hears(3)}
    assert all(message.is_signed_with(shop.client.secret) for message in listener.messages)
    for event in ("inventory_log.create", "inventory_levels.update"):
        told = said[event]
        assert [told[name] for name in ("in_stock", "reserved", "available", "change", "reason")] == [
            2,
            0,
            2,
            -3,
            "pick",
        ]
    assert said["fulfillments.update"] == {"event_type": "fulfillments.update"} | sent
    contents = [{"sku": product["sku"], "ext_order_line_item_id": "a", "quantity": 3}]
    parcel = sent["parcels"][0]
    assert sent["parcels"] == [
        TRACKING | {name: parcel[name] for name in ("id", "shipped_at")} | {"version": 2, "lines": contents}
    ]
    assert [sent[name] for name in ("state", "closed", "version")] == ["fulfilled", True, 2]


def test_picking_begins_once_and_is_told(shop, fulfillment, listener):
    shop.hook("fulfillments.update", listener.url)
    shop.at_port("start", fulfillment)
    assert refused(shop, "start", fulfillment) == "Somebody is picking it already."
    assert [(m.data["state"], m.data["closed"], m.data["version"]) for m in listener.hears(1)] == [
        ("picking", False, 2)
    ]


def test_fewer_pieces_are_sent_and_the_rest_follows(shop, product, fulfillment):
    first = shop.at_port("send", fulfillment, pieces={"a": 2}, rest_follows=True)
    assert [first[name] for name in ("state", "closed")] == ["partly_fulfilled", False]
    assert shop.numbers(product) == [3, 1, 2]
    last = shop.at_port("send", fulfillment, number="2")
    assert [last[name] for name in ("state", "closed")] == ["fulfilled", True]
    assert [(p["version"], p["number"], p["lines"][0]["quantity"]) for p in last["parcels"]] == [
        (2, "", 2),
        (3, "2", 1),
    ]
    assert shop.numbers(product) == [2, 0, 2]


def test_fewer_pieces_are_sent_and_nothing_follows(shop, product, fulfillment):
    sent = shop.at_port("send", fulfillment, pieces={"a": 2})
    assert [sent[name] for name in ("state", "closed")] == ["partly_fulfilled", True]
    assert shop.numbers(product) == [3, 0, 3]


def test_behaviour_78_a_closed_fulfilment_never_changes_again(shop, fulfillment):
    before = shop.at_port("send", fulfillment)
    for deed, details in (("start", {}), ("send", {}), ("reject", {"reason": "Broken"})):
        assert refused(shop, deed, fulfillment, **details) == "It is fulfilled, and that is final."
    assert shop.fulfillment({"id": fulfillment["order_id"]}).items() >= before.items()


def test_a_rejected_fulfilment_frees_its_stock_and_says_why(shop, product, fulfillment, listener):
    shop.hook("fulfillments.update", listener.url)
    shop.at_port("reject", fulfillment, reason="Broken")
    said = listener.hears(1)[0].data
    assert [said[name] for name in ("state", "closed", "reason")] == ["rejected", True, "Broken"]
    assert shop.numbers(product) == [5, 0, 5]


def test_what_is_rejected_after_a_parcel_stays_partly_fulfilled(shop, product, fulfillment):
    shop.at_port("send", fulfillment, pieces={"a": 1}, rest_follows=True)
    ended = shop.at_port("reject", fulfillment, reason="Broken")
    assert [ended[name] for name in ("state", "closed", "reason")] == ["partly_fulfilled", True, "Broken"]
    assert shop.numbers(product) == [4, 0, 4]


@pytest.mark.parametrize(
    ("pieces", "sentence"),
    [
        ({}, "Nothing was picked: send at least one piece, or reject it."),
        ({"a": 0}, "Nothing was picked: send at least one piece, or reject it."),
        ({"b": 1}, "Nothing was picked: send at least one piece, or reject it."),
        ({"a": 4}, "between 0 and 3 can be sent."),
        ({"a": -1}, "between 0 and 3 can be sent."),
    ],
)
def test_pieces_that_make_no_sense_are_refused_and_nothing_is_sent(shop, product, fulfillment, pieces, sentence):
    assert refused(shop, "send", fulfillment, pieces=pieces).endswith(sentence)
    assert shop.numbers(product) == [5, 3, 2]
    assert shop.fulfillments() == [fulfillment]


def test_what_does_not_lie_there_is_not_sent_and_the_parcel_not_either(shop, product, fulfillment):
    shop.move("pick", product, 3)
    assert refused(shop, "send", fulfillment) == f"Only 2 of {product['sku']} lie here."
    assert shop.numbers(product) == [2, 3, -1]
    assert shop.fulfillments() == [fulfillment]
    assert shop.at_port("send", fulfillment, pieces={"a": 2})["state"] == "partly_fulfilled"
    assert shop.numbers(product) == [0, 0, 0]


def test_pieces_are_taken_from_wherever_they_lie(shop, product, fulfillment):
    shop.move("pick", product, 4)
    shop.move("store", product, 2, kind="shelf", name="C 3")
    shop.at_port("send", fulfillment)
    assert shop.good("GET", "inventory", params={"sku": product["sku"]})["data"][0]["storage"] == []


def test_no_fulfilment_of_that_number_is_404(sandbox):
    assert sandbox.ask("POST", "/_control/pio/fulfillments/0/start").status_code == 404


def test_fulfilments_are_listed_in_the_order_of_their_last_changes(shop, product):
    first, second = (shop.fulfillment(shop.order(product)) for _ in range(2))
    shop.at_port("start", first)
    page = shop.good("GET", "fulfillments", params={"limit": 1})
    rest = shop.good("GET", "fulfillments", params={"limit": 1, "cursor": page["next"]})
    assert [(found["id"], found["version"]) for found in page["data"] + rest["data"]] == [
        (second["id"], 1),
        (first["id"], 2),
    ]
    assert rest["next"] is None
    since = rest["data"][0]["updated_at"]
    assert shop.good("GET", "fulfillments", params={"updated_since": since}) == {"data": rest["data"], "next": None}
    assert shop.client.shop().good("GET", "fulfillments")["data"] == []


@pytest.mark.parametrize("since", ["yesterday", "2026-03-01T12:00:00", ""])
def test_a_moment_that_is_none_is_refused(shop, since):
    answer = shop.call("GET", "fulfillments", params={"updated_since": since})
    assert error_of(answer) == (422, "validation_error")
