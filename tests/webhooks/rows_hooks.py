"""Which test shows which behaviour of the contracts (5.3) and which row of the threat model: hooks and their rules."""

API, HOOKING = "tests/webhooks/test_hooks_api.py", "tests/webhooks/test_hooking.py"
THROUGH = "tests/webhooks/test_hooks_through.py"

ROWS: dict[str, list[str]] = {
    "81": [
        f"{API}::test_behaviour_81_a_client_written_for_pios_documents_creates_lists_updates_and_deletes",
        f"{API}::test_behaviour_81_a_second_hook_of_an_event_is_400_as_pio_says",
        f"{API}::test_behaviour_81_of_calls_at_once_one_makes_the_hook",
        f"{HOOKING}::test_behaviour_81_a_second_hook_of_a_shops_event_is_refused_and_nothing_of_it_stays",
    ],
    "82": [
        f"{API}::test_behaviour_82_pios_four_events_can_be_asked_for",
        f"{API}::test_behaviour_82_an_unknown_event_is_refused",
        f"{HOOKING}::test_behaviour_82_an_unknown_event_is_refused_with_those_that_exist",
    ],
    "WO-06": [f"{API}::test_wo_06_what_is_not_called_over_https_at_a_port_of_the_web_is_refused"],
    "WO-07": [
        f"{API}::test_wo_07_logins_line_ends_and_private_addresses_are_refused",
        f"{HOOKING}::test_wo_07_headers_that_are_ours_to_say_or_break_the_message_are_refused",
    ],
    "WO-15": [
        f"{HOOKING}::test_wo_15_for_the_overlap_both_secrets_sign_and_then_the_new_one",
        f"{HOOKING}::test_wo_15_without_overlap_the_old_secret_ends_at_once",
        f"{THROUGH}::test_wo_15_for_the_overlap_each_message_verifies_with_both_secrets_then_with_the_new_one",
    ],
    "WO-17": [
        f"{HOOKING}::test_wo_17_a_hook_that_is_alone_takes_its_endpoint_its_secret_and_what_waits_to_the_new_address",
        f"{HOOKING}::test_wo_17_a_hook_that_shares_its_endpoint_moves_with_what_waits_for_it",
        f"{HOOKING}::test_wo_17_a_hook_moves_to_the_endpoint_that_its_owner_has_there_and_the_empty_one_ends",
        f"{THROUGH}::test_wo_17_what_waits_goes_to_the_new_address_with_the_same_id_and_secret",
    ],
    "WO-18": [
        f"{API}::test_wo_18_our_own_address_is_refused",
        f"{API}::test_wo_18_a_trusted_machine_is_ours_by_its_port",
    ],
}
