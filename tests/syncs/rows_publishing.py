"""Which test shows what of the telling of stock: behaviours 39, 40, 67 and 68 (`research/contracts.md`, part 5.3)."""

RUNS, TOLD = "tests/syncs/test_publishing_runs.py", "tests/syncs/test_publishing.py"
ATP, OWED = "tests/catalog/test_promising.py", "tests/catalog/test_owing.py"

ROWS: dict[str, list[str]] = {
    "39": [
        f"{RUNS}::test_behaviour_39_asking_returns_the_run_at_once_and_tells_nobody_yet",
        f"{RUNS}::test_everything_is_told_again_also_what_the_platform_was_told_before",
    ],
    "40": [f"{RUNS}::test_behaviour_40_a_connector_that_takes_no_stock_refuses"],
    "67": [
        f"{ATP}::test_it_is_on_hand_less_reserved_plus_incoming_less_reserved_incoming_less_the_buffer",
        f"{ATP}::test_all_places_count_together_and_the_buffer_once",
        f"{ATP}::test_it_is_never_below_zero",
        f"{ATP}::test_stock_that_may_not_be_sold_does_not_count",
        f"{TOLD}::test_a_platform_is_told_what_may_be_sold",
        f"{TOLD}::test_the_same_product_in_two_shops_is_told_to_both_with_their_own_buffers",
    ],
    "68": [
        f"{OWED}::test_a_linked_listing_is_enlisted_and_owed_if_somebody_counted_its_product",
        f"{OWED}::test_a_listing_that_is_not_told_its_stock_is_left_out_also_when_it_was_told_before",
        f"{TOLD}::test_what_is_not_linked_or_switched_off_is_left_out",
    ],
}
