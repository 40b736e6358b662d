"""Which test shows which behaviour of the contracts (`research/contracts.md`, part 5.3)."""

ORGANIZATION, API = "tests/integrations/test_org_api.py", "tests/syncs/test_api.py"
FIELDS, SWITCHING = "tests/integrations/test_fields.py", "tests/integrations/test_switching.py"

ROWS: dict[str, list[str]] = {
    "32": [
        f"{ORGANIZATION}::test_an_integration_of_a_platform_is_created",
        f"{ORGANIZATION}::test_a_name_and_a_connector_are_required",
        f"{ORGANIZATION}::test_settings_come_along_and_are_checked",
    ],
    "33": [
        f"{ORGANIZATION}::test_there_are_three_categories",
        f"{ORGANIZATION}::test_times_are_in_utc_wherever_the_portal_is",
    ],
    "34": [
        f"{ORGANIZATION}::test_integrations_are_listed_newest_first_in_as_many_queries_for_one_as_for_many",
        f"{ORGANIZATION}::test_a_name_and_the_syncs_are_updated",
        f"{ORGANIZATION}::test_what_was_read_can_be_sent_back_whole",
        f"{ORGANIZATION}::test_another_organizations_integrations_are_not_there",
        "tests/shops/test_deleting.py::test_a_deleted_one_is_seen_nowhere",
    ],
    "35": [f"{ORGANIZATION}::test_an_unknown_connector_is_refused"],
    "36": [
        f"{ORGANIZATION}::test_settings_come_as_typed_fields_and_secrets_never",
        f"{ORGANIZATION}::test_a_value_its_type_does_not_allow_is_refused_by_key",
        f"{FIELDS}::test_a_value_that_does_not_fit_its_type_is_refused",
    ],
    "37": [
        f"{ORGANIZATION}::test_settings_come_as_typed_fields_and_secrets_never",
        "tests/integrations/test_configuring.py::test_secrets_are_sealed",
    ],
    "38": [
        f"{API}::test_an_integration_offers_what_its_connector_can",
        f"{API}::test_an_action_that_is_not_offered_is_refused",
    ],
    "39": [
        f"{API}::test_a_sync_of_products_is_answered_at_once_and_done_in_the_background",
        f"{API}::test_a_platform_is_not_asked_for_what_its_connector_does_not_do",
    ],
    "40": [f"{API}::test_a_sync_that_category_or_connector_cannot_do_is_refused"],
    "41": [
        f"{API}::test_after_a_sync_the_last_known_change_is_when_it_began_to_read",
        f"{API}::test_a_sync_that_finds_no_change_leaves_the_last_one_known",
    ],
    "42": [
        f"{SWITCHING}::test_keys_and_tokens_of_a_disabled_integration_are_refused_until_it_is_enabled",
        f"{SWITCHING}::test_settings_survive",
        "tests/syncs/test_queueing.py::test_a_disabled_integrations_runs_wait_until_it_is_enabled",
    ],
    "43": [
        f"{API}::test_its_state_is_shown_beside_its_actions",
        "tests/integrations/test_standing.py::test_by_itself_it_is_its_state",
        "tests/integrations/test_standing.py::test_it_is_connecting_while_somebody_is_logging_in",
    ],
}
