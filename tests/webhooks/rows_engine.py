"""Which test shows which behaviour and row of the threat model, of what the dispatcher does."""

SENT, MEANT, WELL = (f"tests/webhooks/test_{name}.py" for name in ("dispatching", "outcomes", "health"))

ROWS: dict[str, list[str]] = {
    "85": [f"{MEANT}::test_each_answer_has_its_meaning"],
    "86": [
        f"{MEANT}::test_by_pios_rules_it_is_tried_for_24_hours",
        f"{SENT}::test_what_comes_behind_one_that_fails_waits_for_it_and_nobody_else_does",
    ],
    "WO-11": [f"{MEANT}::test_a_message_is_tried_ten_times_over_75_hours_each_up_to_a_fifth_sooner_or_later"],
    "WO-12": [
        f"{MEANT}::test_retry_after_is_read_whatever_it_says",
        f"{MEANT}::test_it_is_honoured_and_bounded",
        f"{SENT}::test_410_ends_it_at_once_and_keeps_what_was_to_be_sent",
    ],
    "WO-14": [
        f"{SENT}::test_dead_for_six_days_then_alive_and_everything_arrives",
        f"{WELL}::test_half_way_comes_after_two_and_a_half_days_and_the_end_after_five",
    ],
    "WO-15": [f"{SENT}::test_while_one_secret_takes_over_from_another_both_sign_and_then_the_new_one_alone"],
}
