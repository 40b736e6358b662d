"""Which test shows which row of the threat model: what other systems send us (reliability.md, B5)."""

RECEIVING, FROM_ALL, INBOXES = (f"tests/webhooks/test_{name}.py" for name in ("receiving", "receiving_from", "inboxes"))
SIGNATURES = "tests/integrations/connectors/test_signatures.py"
MAPPING = "tests/integrations/connectors/pio/test_mapping.py"
OTTERS = "tests/integrations/connectors/otter/test_ordering.py"
OPENING, MESSAGES, COUNTING = (f"tests/syncs/test_{name}.py" for name in ("opening", "taking_messages", "counting"))
ATTENTION, RECONCILING = "tests/desk/test_home.py", "tests/syncs/test_reconciling.py"
WALK, DROPPED = "tests/onboarding/warehouse/test_walk.py", "tests/drills/test_dropped_hooks.py"

ROWS: dict[str, list[str]] = {
    "WI-01": [
        f"{MAPPING}::test_wi_01_a_body_altered_in_any_byte_is_refused",
        f"{MAPPING}::test_wi_01_the_secret_of_somebody_else_or_none_is_refused",
        f"{RECEIVING}::test_wi_01_what_is_forged_is_refused_and_noted_but_never_opened",
        f"{OTTERS}::test_a_body_altered_in_any_byte_and_a_foreign_secret_are_refused",
        f"{SIGNATURES}::test_wi_01_one_altered_bit_is_refused",
        f"{SIGNATURES}::test_wi_01_another_secret_none_and_a_missing_header_are_refused",
        f"{INBOXES}::test_wi_01_what_is_forged_is_refused_and_noted_but_never_opened",
    ],
    "WI-02": [
        f"{MAPPING}::test_wi_02_nothing_that_arrives_raises_anything_else",
        f"{MAPPING}::test_wi_02_any_body_is_news_or_a_value_error",
        f"{RECEIVING}::test_wi_02_no_header_and_no_body_is_worth_more_than_a_401",
        f"{OTTERS}::test_nothing_that_arrives_raises_anything_else",
        f"{SIGNATURES}::test_wi_02_nothing_that_arrives_raises_anything_else",
        f"{SIGNATURES}::test_wi_02_a_malformed_header_is_a_bad_signature",
        f"{INBOXES}::test_wi_02_what_was_signed_and_says_nothing_is_told_so",
        f"{INBOXES}::test_wi_02_no_header_and_no_body_is_worth_more_than_a_401",
    ],
    "WI-03": [
        f"{MAPPING}::test_wi_03_a_delivery_may_be_as_old_as_its_last_retry_and_a_clock_a_little_fast",
        f"{RECEIVING}::test_wi_03_a_delivery_of_yesterday_is_a_retry_and_one_of_last_week_a_replay",
        f"{SIGNATURES}::test_wi_03_the_window_is_five_minutes_on_either_side",
        f"{INBOXES}::test_wi_03_several_refused_for_their_time_are_a_clock_that_is_wrong",
        f"{INBOXES}::test_wi_03_forged_ones_say_nothing_of_a_clock",
        f"{ATTENTION}::test_the_first_page_counts_what_needs_somebody_and_names_the_oldest",
    ],
    "WI-04": [
        f"{RECEIVING}::test_wi_04_a_repeated_delivery_is_answered_alike_and_counted",
        f"{RECEIVING}::test_wi_04_of_many_parallel_duplicates_one_is_stored",
        f"{FROM_ALL}::test_a_repeated_message_is_answered_alike_and_counted",
        f"{INBOXES}::test_wi_04_of_fifty_at_once_one_is_stored",
        f"{MESSAGES}::test_wi_04_fifty_duplicates_at_once_have_one_effect",
    ],
    "WI-05": [
        f"{OPENING}::test_wi_05_versions_in_any_order_and_twice_end_at_the_newest",
        f"{WALK}::test_doubled_and_shuffled_messages_end_at_the_truth",
        f"{MESSAGES}::test_wi_05_versions_in_any_order_end_at_the_newest",
        f"{MESSAGES}::test_wi_05_reports_without_a_time_are_of_when_they_came_in_whatever_order_they_are_opened",
    ],
    "WI-06": [
        f"{MAPPING}::test_wi_06_the_bytes_are_signed_not_what_they_mean",
        f"{SIGNATURES}::test_wi_06_the_bytes_are_signed_not_what_they_mean",
        f"{INBOXES}::test_wi_06_the_same_said_otherwise_is_refused",
    ],
    "WI-07": [
        f"{OPENING}::test_wi_07_what_makes_no_sense_fails_and_what_nobody_knows_is_parked",
        f"{MESSAGES}::test_wi_07_an_unknown_event_and_an_unknown_shop_are_parked",
    ],
    "WI-08": [
        f"{INBOXES}::test_wi_08_only_what_was_signed_counts_and_too_much_is_told_when_to_come_back",
        f"{INBOXES}::test_wi_08_a_warehouse_that_is_told_to_wait_loses_nothing",
    ],
    "WI-09": [
        f"{RECEIVING}::test_wi_09_a_database_in_trouble_says_try_again_and_never_that_it_was_received",
        f"{RECEIVING}::test_wi_09_what_came_while_the_database_was_down_lands_once_when_it_is_sent_again",
        f"{FROM_ALL}::test_a_database_in_trouble_says_try_again",
    ],
    "WI-10": [
        f"{RECEIVING}::test_wi_10_while_a_secret_is_replaced_both_are_accepted",
        f"{FROM_ALL}::test_while_a_secret_is_replaced_both_are_accepted_and_no_other",
        f"{SIGNATURES}::test_wi_10_one_of_several_signatures_and_of_several_secrets_is_enough",
        f"{INBOXES}::test_wi_10_in_the_overlap_two_secrets_are_accepted_and_then_one",
    ],
    "WI-11": [
        f"{COUNTING}::test_wi_11_what_a_warehouse_dropped_is_put_right_and_stands_in_the_ledger",
        f"{WALK}::test_wi_11_what_the_warehouse_dropped_is_put_right_by_the_next_comparison",
        f"{DROPPED}::test_wi_11_every_nth_hook_that_is_dropped_is_made_good_within_a_quarter_and_listed",
        f"{DROPPED}::test_wi_11_what_left_untold_is_listed_with_the_reading_that_found_it",
        f"{RECONCILING}::test_what_it_had_not_told_us_stands_on_the_page_of_the_reading",
    ],
}
