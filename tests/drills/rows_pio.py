"""Which drill shows which behaviour of the contracts (5.3) and which row of the threat model: Pio's client."""

DRILLS = "tests/drills/test_pio_faults.py"

ROWS: dict[str, list[str]] = {
    "45": [f"{DRILLS}::test_what_was_told_while_our_token_was_revoked_is_not_lost"],
    "58": [f"{DRILLS}::test_products_that_meet_a_lasting_fault_are_still_owed"],
    "60": [f"{DRILLS}::test_stock_that_cannot_be_read_stays_as_it_was"],
    "64": [
        f"{DRILLS}::test_a_message_that_comes_twice_counts_once",
        f"{DRILLS}::test_what_is_lost_on_its_way_is_found_by_the_next_count",
    ],
    "84": [f"{DRILLS}::test_a_message_with_a_wrong_signature_is_refused_noted_and_right_when_sent_again"],
    "86": [f"{DRILLS}::test_a_message_with_a_wrong_signature_is_refused_noted_and_right_when_sent_again"],
    "WI-05": [
        f"{DRILLS}::test_messages_in_any_order_lead_to_the_last_number",
        f"{DRILLS}::test_a_late_message_does_not_undo_a_newer_one",
    ],
}
