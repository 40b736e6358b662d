"""Which test shows which behaviour of the contracts (5.3): orders kept, sorted and routed in the background."""

SORTING, AT_ONCE, ROUTING, RULING, WAKING, API = (
    f"tests/orders/test_{name}.py"
    for name in ("sorting", "sorting_at_once", "routing", "ruling", "waking", "rules_api")
)

ROWS: dict[str, list[str]] = {
    "66": ["tests/orders/test_resolving.py::test_a_pair_of_its_integration_turns_its_sku_into_ours"],
    "73": [
        f"{SORTING}::test_an_order_is_routed_in_the_background_and_its_stock_reserved",
        f"{SORTING}::test_without_stock_an_order_waits_for_stock",
        f"{AT_ONCE}::test_one_bad_order_among_a_thousand_stops_nobody",
        f"{AT_ONCE}::test_two_hundred_orders_for_a_hundred_pieces_that_arrive_meanwhile_get_exactly_those",
        f"{WAKING}::test_stock_that_arrives",
    ],
    "74": [
        f"{SORTING}::test_an_order_is_routed_in_the_background_and_its_stock_reserved",
        f"{ROUTING}::test_lines_of_one_product_are_reserved_together",
        f"{ROUTING}::test_who_is_quicker_gets_the_last_piece",
    ],
    "75": [
        f"{RULING}::test_people_pick_the_most_urgent_first_then_the_oldest",
        f"{RULING}::test_priorities_add_up_and_go_on_to_whoever_picks",
        f"{RULING}::test_a_rule_that_blocks_keeps_an_order_from_picking",
        f"{RULING}::test_a_rule_may_be_for_a_shop",
        f"{RULING}::test_a_rule_fits_when_all_its_conditions_hold",
        f"{API}::test_rules_are_saved_and_read_in_their_order",
    ],
    "80": [f"{ROUTING}::test_the_method_is_said_in_the_words_of_the_warehouse"],
}
