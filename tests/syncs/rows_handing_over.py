"""Which test shows which behaviour of the contracts (5.3): orders on their way to a warehouse, and its news."""

HANDING, NEWS = "tests/syncs/test_handing_over.py", "tests/syncs/test_taking_news.py"
DRILLS = "tests/drills/test_order_faults.py"

ROWS: dict[str, list[str]] = {
    "70": [f"{HANDING}::test_behaviour_70_an_order_is_sent_whole_in_the_warehouses_words"],
    "72": [f"{HANDING}::test_a_change_tells_tags_notes_and_destination_of_now"],
    "76": [f"{NEWS}::test_behaviour_76_what_the_warehouse_counted_after_the_pick_is_not_taken_off_again"],
    "77": [
        f"{HANDING}::test_behaviour_77_a_sent_order_is_cancelled_there_and_then_here",
        f"{HANDING}::test_behaviour_77_a_cancel_that_comes_too_late_is_flagged_and_the_order_goes_on",
        f"{NEWS}::test_behaviour_77_a_cancel_at_the_platform_cancels_here_also_when_it_overtakes_its_order",
        f"{DRILLS}::test_a_cancel_gets_there_over_a_passing_fault",
    ],
    "79": [f"{NEWS}::test_a_fulfilment_follows_its_warehouse_and_says_which_message_did_it"],
    "WI-05": [
        f"{NEWS}::test_messages_in_any_order_and_twice_end_the_same",
        f"{DRILLS}::test_hooks_that_come_twice_late_or_in_any_order_end_the_same",
    ],
}
