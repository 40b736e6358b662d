"""Which test shows which behaviour of the contracts (5.3): orders from a platform, and what it is told of them."""

PULLING, TELLING = "tests/syncs/test_pulling_orders.py", "tests/syncs/test_telling_parcels.py"
FOLLOWING = "tests/orders/test_following.py"

ROWS: dict[str, list[str]] = {
    "40": [f"{PULLING}::test_40_a_sync_of_orders_is_answered_at_once_and_done_in_the_background"],
    "41": [f"{PULLING}::test_41_it_is_known_when_an_order_last_changed_at_the_platform"],
    "72": [
        f"{FOLLOWING}::test_after_hand_over_what_can_still_change_is_passed_on",
        f"{FOLLOWING}::test_after_hand_over_what_differs_is_flagged_and_the_lines_stay",
    ],
    "74": [f"{FOLLOWING}::test_what_was_reserved_is_given_back_when_it_changes_before_anybody_began"],
    "77": [
        f"{FOLLOWING}::test_what_is_cancelled_there_before_hand_over_is_cancelled_here",
        f"{FOLLOWING}::test_what_is_cancelled_there_after_hand_over_is_flagged_and_the_warehouse_asked_to_stop",
        f"{FOLLOWING}::test_what_is_cancelled_there_too_late_goes_on_and_says_so",
    ],
}
