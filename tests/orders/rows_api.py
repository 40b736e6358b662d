"""Which test shows which behaviour of the contracts (5.3) and which row of the threat model: orders over the API."""

API, BODIES, CANCELLING, REVISING = (
    f"tests/orders/test_{name}.py" for name in ("orders_api", "order_bodies", "cancelling", "revising")
)

ROWS: dict[str, list[str]] = {
    "48": [f"{API}::test_a_token_sees_only_the_orders_of_its_own_shop"],
    "49": [f"{API}::test_a_token_without_a_shop_creates_no_order"],
    "70": [
        f"{API}::test_an_order_carries_lines_tags_notes_shipping_method_and_destination",
        f"{BODIES}::test_an_order_is_taken_with_all_that_is_known_of_it",
    ],
    "71": [
        f"{API}::test_a_second_order_under_the_same_ids_is_refused",
        f"{API}::test_of_calls_at_once_one_creates_the_order",
    ],
    "72": [
        f"{API}::test_tags_notes_and_destination_can_be_changed",
        f"{API}::test_an_update_that_touches_anything_else_is_refused",
        f"{REVISING}::test_what_is_said_is_changed_and_the_rest_stays",
    ],
    "77": [
        f"{API}::test_cancelling_an_open_order_frees_what_it_reserved",
        f"{API}::test_an_order_that_is_being_picked_or_has_left_is_not_cancelled",
        f"{CANCELLING}::test_what_people_would_have_picked_is_free_again",
        f"{CANCELLING}::test_what_a_warehouse_has_it_is_asked_to_stop",
    ],
    "IN-04": [
        f"{API}::test_every_sku_comes_back_as_it_was_sent",
        f"{BODIES}::test_a_sku_that_cannot_be_kept_is_refused",
    ],
    "IN-05": [f"{BODIES}::test_an_amount_is_exact", f"{BODIES}::test_what_is_no_amount_is_refused"],
}
