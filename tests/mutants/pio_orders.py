"""Guards of the Pio half of orders: nothing is sent twice, taken for cancelled or missed, at the client and there."""

from .guards import Guard

CLIENT, MAPPING = "apps/integrations/connectors/pio/client.py", "apps/integrations/connectors/pio/mapping.py"
THERE = "apps/sandbox/pio"


def _ours(name: str) -> tuple[str, ...]:
    return (f"tests/integrations/connectors/pio/test_orders.py::test_{name}",)


def _theirs(module: str, name: str) -> tuple[str, ...]:
    return (f"tests/sandbox/pio/test_{module}.py::test_{name}",)


PIO_ORDER_GUARDS = [
    Guard(
        "71",
        MAPPING,
        'if order["ext_fulfillment_order_id"] == reference',
        "",
        _ours("an_order_that_is_not_there_is_none_and_no_other_is_taken_for_it"),
    ),
    Guard(
        "72",
        CLIENT,
        "json=mapping.order_changes(order)",
        "json=mapping.order_body(order)",
        _ours("behaviour_72_tags_notes_and_destination_are_told_again_and_nothing_else"),
    ),
    Guard(
        "77",
        CLIENT,
        "if rejected.code != NO_ORDER:",
        "if False:",
        _ours("behaviour_77_an_order_that_pio_keeps_is_not_taken_for_cancelled"),
    ),
    Guard(
        "79",
        MAPPING,
        "return [*earlier, ",
        "return [",
        _ours("a_message_tells_how_a_fulfilment_stands_and_first_each_parcel_before_its_last"),
    ),
    Guard(
        "71",
        f"{THERE}/orders.py",
        "        check_pair(shop, given)\n",
        "",
        _theirs("orders", "behaviour_71_a_pair_of_external_ids_is_of_one_order_until_that_is_deleted"),
    ),
    Guard(
        "73",
        f"{THERE}/reserving.py",
        "if any(pk not in there or there[pk].available < quantity for pk, quantity in needed.items()):",
        "if False:",
        _theirs("preparing", "what_is_there_is_reserved_once_however_many_want_it"),
    ),
    Guard(
        "77",
        f"{THERE}/orders.py",
        "        check_unpicked(order)\n",
        "",
        _theirs("orders", "behaviour_77_an_order_that_is_picked_or_was_is_not_deleted"),
    ),
    Guard(
        "78",
        f"{THERE}/picking.py",
        "if current.is_closed:",
        "if False:",
        _theirs("picking", "behaviour_78_a_closed_fulfilment_never_changes_again"),
    ),
]
