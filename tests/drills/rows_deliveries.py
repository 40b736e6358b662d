"""Which drill shows which behaviour of the contracts (5.3) and which row of the threat model: what goes out."""

DRILLS = "tests/drills/test_deliveries.py"
LOSING = "tests/drills/test_losing_the_mail_room.py"

ROWS: dict[str, list[str]] = {
    "87": [f"{DRILLS}::test_what_cannot_be_told_neither_delays_nor_undoes_what_happened"],
    "WO-13": [
        f"{DRILLS}::test_killed_in_the_middle_nothing_is_lost_and_repeats_have_their_own_id",
        f"{DRILLS}::test_one_that_was_frozen_beyond_its_lease_sends_nothing_late",
        f"{DRILLS}::test_asked_to_stop_it_ends_what_is_on_its_way_and_writes_it_down",
        f"{LOSING}::test_a_killed_dispatcher_is_back_and_everything_arrives",
        f"{LOSING}::test_a_dispatcher_outlives_a_restart_of_the_database",
    ],
    "WO-16": [f"{DRILLS}::test_an_endpoint_that_hangs_delays_nobody_else"],
}
