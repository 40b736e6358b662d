"""Which test shows which row of the threat model (`research/reliability.md`, part B3), and AS-17."""

MATRIX, MIXING, ORACLES = (f"tests/tenancy/test_{name}.py" for name in ("matrix", "mixing", "oracles"))
REFERENCES, LEAVING = "tests/tenancy/test_references.py", "tests/tenancy/test_leaving.py"
PROCESSES, CLOSING = "tests/tenancy/test_every_process.py", "tests/accounts/test_closing.py"

ROWS: dict[str, list[str]] = {
    "TN-01": [
        f"{MATRIX}::test_every_route_has_its_rule_and_every_rule_its_route",
        f"{MATRIX}::test_everybody_hears_what_the_policy_table_says",
        f"{MATRIX}::test_an_id_of_another_organization_is_an_id_that_nothing_has",
        "tests/onboarding/test_roles.py::test_everybody_opens_what_they_may_and_nothing_else",
        f"{CLOSING}::test_its_people_are_told_whom_to_ask_and_see_nothing_else",
    ],
    "TN-02": [
        f"{MATRIX}::test_an_id_of_another_organization_is_an_id_that_nothing_has",
        f"{MIXING}::test_a_cursor_of_another_organizations_list_leads_to_no_row_of_it",
        f"{MIXING}::test_headers_that_name_another_organizations_rows_change_nothing",
        f"{MIXING}::test_a_body_that_names_another_organizations_row_is_refused",
        f"{MIXING}::test_another_organizations_configuration_brings_its_values_and_none_of_its_rows",
    ],
    "TN-03": [
        f"{MIXING}::test_answers_are_the_same_with_and_without_another_organization",
        f"{MIXING}::test_pages_are_the_same_with_and_without_another_organization",
    ],
    "TN-04": [
        f"{REFERENCES}::test_every_reference_between_tenants_rows_has_a_key_over_both_columns",
        f"{REFERENCES}::test_raw_sql_cannot_refer_to_another_organizations_row",
        f"{REFERENCES}::test_a_row_that_refers_to_others_cannot_be_moved_to_another_organization",
        f"{REFERENCES}::test_a_custom_connector_cannot_be_moved_to_another_organization",
    ],
    "TN-05": [f"{MIXING}::test_no_call_takes_several_rows_at_once"],  # there is no bulk call yet
    "TN-06": [
        f"{ORACLES}::test_every_unique_index_is_an_organizations_own_or_judged",
        f"{ORACLES}::test_what_another_organization_has_just_made_can_be_made_here_too",
        f"{ORACLES}::test_who_invites_hears_the_same_of_anybody",
    ],
    "TN-07": [f"{MATRIX}::test_a_token_with_one_scope_can_do_what_that_scope_says_and_nothing_else"],
    "TN-15": [
        f"{LEAVING}::test_the_next_page_is_refused_while_they_are_signed_in",
        f"{LEAVING}::test_their_key_is_dead_at_once",
        f"{LEAVING}::test_what_they_let_in_is_out_at_once",
        f"{LEAVING}::test_a_code_they_gave_is_worth_nothing_afterwards",
        f"{LEAVING}::test_a_shops_own_token_lives_on",
    ],
    "TN-16": [
        "tests/onboarding/test_roles.py::test_everybody_opens_what_they_may_and_nothing_else",
        "tests/onboarding/test_roles.py::test_home_is_everybodys",
    ],
    "AS-17": [f"{PROCESSES}::test_what_is_ended_is_refused_by_every_process_at_once"],
}
