"""Which test shows which behaviour of the contracts (5.3): everything seen, and sent once more."""

ADMIN, API = "tests/webhooks/test_log_admin.py", "tests/webhooks/test_log_api.py"
REPLAYING, FILTERS = "tests/webhooks/test_replaying.py", "tests/test_integration_filters.py"

ROWS: dict[str, list[str]] = {
    "94": [
        f"{ADMIN}::test_the_log_has_what_came_in_beside_what_goes_out",
        f"{API}::test_events_are_what_came_in_beside_what_goes_out",
        f"{API}::test_events_are_found_by_what_is_asked",
    ],
    "95": [
        f"{REPLAYING}::test_what_came_to_its_end_is_sent_once_more_as_the_same_row",
        f"{REPLAYING}::test_more_than_were_counted_are_refused_and_nothing_is_done",
        f"{API}::test_an_event_is_run_again_whichever_way_it_went",
        f"{ADMIN}::test_a_delivery_is_sent_once_more_as_the_same_row",
    ],
    "96": [
        f"{FILTERS}::test_every_list_that_filters_offers_the_integrations",
        f"{FILTERS}::test_each_integration_can_be_chosen_and_the_list_holds_its_rows_alone",
        f"{FILTERS}::test_another_organizations_integration_is_no_choice_of_an_owner",
    ],
}
