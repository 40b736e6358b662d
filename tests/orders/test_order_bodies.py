"""What is an order, and what of it is refused, field by field: as strict as the other routes, and in the same words."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from apps.api import bodies
from apps.api.errors import Problem
from apps.api.parsing import parsed
from apps.integrations.connectors.orders import Address, RemoteLine, RemoteOrder
from apps.orders.order_bodies import ChangedOrder, NewOrder, as_remote
from tests.skus import KEPT, REFUSED

from .buying import HAT, ORDER, WHOLE

BLANK = "This field may not be blank."
CHARACTERS = "Ensure this field has no more than {} characters."
NO_AMOUNT = 'Use digits and a point, such as "19.95": no more than 4 decimals.'
NO_INTEGER = "A valid integer is required."
NO_MOMENT = "Use ISO 8601 with a time zone, such as 2026-01-31T12:00:00Z."
NO_TEXT = "Not a valid string."
REQUIRED = "This field is required."
UNKNOWN = "Unknown field."


def refusal(body) -> list[tuple[str, str]]:
    with pytest.raises(Problem) as found:
        parsed(NewOrder, body)
    assert (found.value.code, found.value.status) == ("validation_error", 422)
    return found.value.details


def line(**changes) -> dict:
    return ORDER | {"lines": [HAT | changes]}


def test_an_order_is_taken_with_all_that_is_known_of_it():
    assert as_remote(parsed(NewOrder, WHOLE)) == RemoteOrder(
        ext_order_id="1001",
        ext_fulfillment_order_id="part 1",
        number="#1001",
        lines=(
            RemoteLine("HAT-1", 2, "Top hat", "l1", "p1", "v1", Decimal("19.95")),
            RemoteLine("CAP-1", 1),
        ),
        tags=("gift", "vip"),
        notes="Ring twice.\nThen wait.",
        shipping_method="Standard",
        destination=Address(**WHOLE["destination"]),
        customer=WHOLE["customer"],
        currency="EUR",
        total=Decimal("44.9"),
        shipping_price=Decimal("5.00"),
        tax=Decimal("7.7925"),
        discount=Decimal(0),
        placed_at=datetime(2026, 1, 31, 11, tzinfo=UTC),
    )


def test_an_id_and_one_line_are_enough():
    assert as_remote(parsed(NewOrder, ORDER)) == RemoteOrder(ext_order_id="1001", lines=(RemoteLine("HAT-1", 2),))


def test_a_line_is_named_as_pio_names_it_or_as_we_do():
    one, other = (
        as_remote(parsed(NewOrder, line(**{name: "7"}))) for name in ("ext_line_id", "ext_order_line_item_id")
    )
    assert one == other
    assert one.lines[0].ext_line_id == "7"
    both = line(ext_line_id="7", ext_order_line_item_id="8")
    assert refusal(both) == [("lines[0].ext_order_line_item_id", UNKNOWN)]


@pytest.mark.parametrize("sku", KEPT, ids=repr)
def test_every_sku_is_kept_as_it_was_sent(sku):
    assert parsed(NewOrder, line(sku=sku)).lines[0].sku == sku


@pytest.mark.parametrize("sku", [sku for sku in REFUSED if bodies.is_storable(sku)], ids=lambda sku: repr(sku)[:20])
def test_a_sku_that_cannot_be_kept_is_refused(sku):
    [(attribute, _sentence)] = refusal(line(sku=sku))
    assert attribute == "lines[0].sku"


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({}, [("ext_order_id", REQUIRED), ("lines", REQUIRED)]),
        ([ORDER], [("", "Expected an object.")]),
        (None, [("", "Expected an object.")]),
        (ORDER | {"ext_order_id": ""}, [("ext_order_id", BLANK)]),
        (ORDER | {"ext_order_id": 1001}, [("ext_order_id", NO_TEXT)]),
        (ORDER | {"ext_order_id": "x" * 256}, [("ext_order_id", CHARACTERS.format(255))]),
        (ORDER | {"number": None}, [("number", NO_TEXT)]),
        (ORDER | {"notes": "x" * 10_001}, [("notes", CHARACTERS.format(10_000))]),
        (ORDER | {"lines": []}, [("lines", "This list may not be empty.")]),
        (ORDER | {"lines": {}}, [("lines", "Expected a list of items.")]),
        (ORDER | {"lines": [HAT] * 1_001}, [("lines", "Ensure this field has no more than 1000 elements.")]),
        (ORDER | {"lines": [HAT, "a hat"]}, [("lines[1]", "Expected an object.")]),
        (ORDER | {"lines": [HAT, {}]}, [("lines[1].sku", REQUIRED), ("lines[1].quantity", REQUIRED)]),
        (line(sku=" \t"), [("lines[0].sku", "Use at least one character that can be seen.")]),
        (line(quantity="2"), [("lines[0].quantity", NO_INTEGER)]),
        (line(quantity=True), [("lines[0].quantity", NO_INTEGER)]),
        (line(quantity=Decimal("2.0")), [("lines[0].quantity", NO_INTEGER)]),
        (line(quantity=0), [("lines[0].quantity", "Ensure this value is greater than or equal to 1.")]),
        (line(quantity=10**6 + 1), [("lines[0].quantity", "Ensure this value is less than or equal to 1000000.")]),
        (line(quantity=10**30), [("lines[0].quantity", "Ensure this value is less than or equal to 1000000.")]),
        (line(quantity=-(10**30)), [("lines[0].quantity", "Ensure this value is greater than or equal to 1.")]),
        (line(name="x" * 2_001), [("lines[0].name", CHARACTERS.format(2_000))]),
        (line(price=-1), [("lines[0].price", NO_AMOUNT)]),
        (line(product_id=1), [("lines[0].product_id", UNKNOWN)]),
        (ORDER | {"tags": "gift"}, [("tags", "Expected a list of items.")]),
        (ORDER | {"tags": ["x"] * 101}, [("tags", "Ensure this field has no more than 100 elements.")]),
        (ORDER | {"tags": ["a", 1, "x" * 256]}, [("tags[1]", NO_TEXT), ("tags[2]", CHARACTERS.format(255))]),
        (ORDER | {"destination": None}, [("destination", "Expected an object.")]),
        (ORDER | {"destination": {"street": "Main"}}, [("destination.street", UNKNOWN)]),
        (ORDER | {"customer": {"name": 1}}, [("customer.name", NO_TEXT)]),
        (ORDER | {"currency": "eur"}, [("currency", "Use ISO 4217, such as EUR.")]),
        (ORDER | {"state": "shipped", "a{b}": 1}, [("state", UNKNOWN), ("a{b}", UNKNOWN)]),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_what_is_wrong_with_an_order_is_named(body, details):
    assert refusal(body) == details


@pytest.mark.parametrize("country", ["nl", "NLD", "N1", "N", "NL\n"])
def test_a_country_is_two_letters(country):
    assert [attribute for attribute, _ in refusal(ORDER | {"destination": {"country": country}})] == [
        "destination.country"
    ]


def test_an_address_that_is_not_complete_is_taken():
    assert as_remote(
        parsed(NewOrder, ORDER | {"destination": {"country": "", "city": "Delft"}})
    ).destination == Address(city="Delft")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("0", "0"),
        ("19.95", "19.95"),
        (19, "19"),
        (Decimal("0.1"), "0.1"),
        (Decimal("1e2"), "100"),
        (Decimal("0.10"), "0.1"),
        ("99999999999999.9999", "99999999999999.9999"),
        (None, None),
    ],
)
def test_an_amount_is_exact(said, meant):
    total = as_remote(parsed(NewOrder, ORDER | {"total": said})).total
    assert total == (None if meant is None else Decimal(meant))


@pytest.mark.parametrize(
    "said",
    [
        "",
        "-1",
        "1,5",
        "1.",
        ".5",
        " 1",
        "1e2",
        "1.00001",
        "1" * 15,
        "٣",
        "NaN",
        "1\n",
        True,
        [],
        {},
        -1,
        10**14,
        Decimal("0.00001"),
        Decimal("1e14"),
        Decimal("-0.0"),
        Decimal("1e-999999999"),
        Decimal("1e300"),
    ],
    ids=repr,
)
def test_what_is_no_amount_is_refused(said):
    assert refusal(ORDER | {"total": said}) == [("total", NO_AMOUNT)]


@pytest.mark.parametrize("said", ["2026-01-31T12:00:00Z", "2026-01-31T13:00+01:00", "2026-01-31T12:00:00.000000+00:00"])
def test_a_moment_has_a_time_zone(said):
    assert as_remote(parsed(NewOrder, ORDER | {"placed_at": said})).placed_at == datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "yesterday",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-02-30T12:00:00Z",
        1769860800,
        True,
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "1769860800",
        "2026-01-31T12:00:00+99:00",
    ],
)
def test_what_is_no_moment_is_refused(said):
    assert refusal(ORDER | {"placed_at": said}) == [("placed_at", NO_MOMENT)]


def test_of_very_much_that_is_wrong_only_a_part_is_named():
    body = {"lines": [{}] * 1_000} | {f"{n:03}" + "x" * 200: 1 for n in range(100)}
    named = refusal(body)
    assert named[:3] == [("ext_order_id", REQUIRED), ("lines[0].sku", REQUIRED), ("lines[0].quantity", REQUIRED)]
    assert (len(named), named[100]) == (110, ("000" + "x" * 97, UNKNOWN))


def test_of_a_change_all_may_be_left_out():
    assert parsed(ChangedOrder, {}).model_fields_set == set()
    assert parsed(ChangedOrder, {"notes": ""}).model_fields_set == {"notes"}
