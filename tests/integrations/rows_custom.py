"""Which test shows which behaviour of the contracts (`research/contracts.md`, part 5.3)."""

API, KEYS = "tests/integrations/test_custom_api.py", "tests/integrations/test_keys_api.py"
ADMIN, KEYS_ADMIN = "tests/integrations/test_custom_admin.py", "tests/integrations/test_keys_admin.py"
DEEDS, PAGES = "tests/integrations/test_integration_deeds.py", "tests/integrations/test_views.py"
CUSTOMIZING, CONFIGURATION = "tests/integrations/test_customizing.py", "tests/integrations/test_configuration.py"

ROWS: dict[str, list[str]] = {
    "20": [
        f"{ADMIN}::test_saving_makes_all_of_it_and_shows_both_keys_once",
        f"{API}::test_one_step_makes_a_private_connector_its_integration_and_two_keys",
    ],
    "21": [
        f"{ADMIN}::test_the_type_suggests_grants_that_can_be_changed",
        f"{API}::test_grants_can_be_other_ones_than_those_suggested",
        f"{CUSTOMIZING}::test_a_warehouse_is_not_suggested_to_see_orders",
    ],
    "22": [
        f"{API}::test_one_step_makes_a_private_connector_its_integration_and_two_keys",
        f"{CUSTOMIZING}::test_nothing_is_left_when_any_part_fails",
    ],
    "23": [f"{API}::test_it_is_invisible_to_every_other_organization"],
    "24": [
        f"{API}::test_an_integrations_key_sees_its_own_integration_only",
        f"{API}::test_an_integrations_key_sees_its_own_shops_and_an_organizations_wide_one_all",
        f"{KEYS}::test_several_keys_do_what_each_is_for",
    ],
    "25": [
        f"{API}::test_an_integrations_key_sees_its_own_shops_and_an_organizations_wide_one_all",
        f"{API}::test_a_definition_that_asks_for_more_gives_nothing_by_itself",
        f"{CUSTOMIZING}::test_rights_wait_until_they_are_applied",
    ],
    "26": [f"{API}::test_what_is_refused_leaves_an_entry_under_the_integration"],
    "27": [
        f"{KEYS}::test_a_key_rotated_without_overlap_is_dead_at_once",
        f"{KEYS}::test_during_the_overlap_both_work_and_the_old_ones_calls_are_counted",
        f"{KEYS}::test_a_key_is_made_and_shown_this_once",
        "tests/integrations/test_keying.py::test_of_two_who_rotate_a_key_at_once_one_gets_a_new_one",
    ],
    "28": [
        f"{API}::test_the_connectors_key_changes_the_definition_and_reads_no_data",
        f"{API}::test_the_integrations_key_cannot_touch_the_definition",
    ],
    "29": [
        f"{API}::test_a_change_is_based_on_a_version",
        f"{CUSTOMIZING}::test_of_two_who_change_the_same_version_at_once_one_wins",
    ],
    "30": [
        f"{API}::test_a_persons_key_sees_all_of_the_organization_and_is_logged_under_them",
        f"{PAGES}::test_a_key_of_ones_own_sees_the_organization_and_is_shown_once",
    ],
    "31": [
        f"{PAGES}::test_a_key_is_ended_after_asking",
        f"{PAGES}::test_an_admin_ends_a_colleagues_key_and_no_strangers",
        f"{KEYS_ADMIN}::test_a_key_is_made_for_a_person_and_ended",
    ],
    "42": [
        f"{API}::test_a_disabled_integration_is_refused_until_it_is_enabled_again",
        f"{DEEDS}::test_it_is_disabled_and_enabled_again",
    ],
    "44": [
        f"{API}::test_a_configuration_is_exported_and_imported",
        f"{CONFIGURATION}::test_no_secret_goes_out",
        f"{CONFIGURATION}::test_what_went_out_comes_in_and_changes_nothing",
        f"{CONFIGURATION}::test_what_does_not_fit_changes_nothing",
    ],
    "91": [
        "tests/integrations/test_field_rows.py::test_a_row_becomes_a_field_with_a_short_name_made_of_its_title",
        "tests/integrations/test_custom_admin.py::test_the_type_suggests_what_flows_as_well",
        f"{ADMIN}::test_the_first_step_asks_for_whom_and_of_what_type",
        f"{ADMIN}::test_saving_makes_all_of_it_and_shows_both_keys_once",
    ],
    "97": [
        f"{DEEDS}::test_it_is_disabled_and_enabled_again",
        f"{DEEDS}::test_its_configuration_is_downloaded",
        f"{DEEDS}::test_a_configuration_is_imported_whole_or_not_at_all",
        f"{KEYS_ADMIN}::test_a_key_is_rotated_with_a_chosen_overlap",
    ],
}
