"""Which test shows which row of the threat model about the admin, the browser and the insider."""

POWERS, PROVING, SESSIONS, SIGNING_IN = (
    f"tests/accounts/test_{name}.py" for name in ("powers", "proving", "sessions", "signing_in")
)
SEALING, TRAIL, MATRIX = "tests/audit/test_sealing.py", "tests/audit/test_trail.py", "tests/test_permissions.py"

ROWS: dict[str, list[str]] = {
    "AD-01": [
        "tests/test_operations.py::test_staff_without_a_second_factor_are_sent_to_add_one_and_told_why",
        "tests/test_operations.py::test_a_session_of_staff_that_gave_no_code_does_not_get_in",
        f"{SIGNING_IN}::test_the_admins_own_login_page_takes_no_password_and_sends_to_the_one_with_limits",
        f"{SIGNING_IN}::test_whoever_guesses_through_the_admin_gets_429",
        f"{SIGNING_IN}::test_after_a_few_wrong_codes_the_right_one_is_refused_too",
        f"{SIGNING_IN}::test_codes_guessed_in_a_session_that_is_open_get_429",
    ],
    "AD-02": [
        f"{MATRIX}::test_every_page_and_every_deed_has_a_line",
        f"{MATRIX}::test_each_role_may_what_its_column_says_and_nobody_else_anything",
        f"{POWERS}::test_every_model_of_the_admin_has_a_row_and_no_row_is_of_none",
        "tests/test_operations.py::test_each_page_of_a_row_opens_and_shows_no_secret",
        f"{PROVING}::test_no_key_is_shown_a_second_time",
    ],
    "AD-03": [
        "tests/test_traces.py::test_whatever_is_changed_in_the_admin_leaves_an_entry",
        f"{TRAIL}::test_an_entry_says_who_did_what_to_what_and_for_whom",
        f"{TRAIL}::test_nobody_changes_or_removes_an_entry",
        f"{SEALING}::test_the_database_refuses_to_change_or_empty_it",
    ],
    "AD-04": [
        f"{SEALING}::test_every_column_is_under_the_seal",
        f"{SEALING}::test_an_entry_taken_away_with_its_mark_shows",
        f"{SEALING}::test_an_entry_slipped_in_later_shows",
        f"{SEALING}::test_an_entry_committed_late_comes_under_a_later_seal_and_accuses_nobody",
        f"{SEALING}::test_the_operators_are_told_once_and_the_first_page_until_it_fits_again",
    ],
    "AD-05": [
        f"{PROVING}::test_every_page_that_shows_a_secret_asks_for_a_proof_of_the_last_five_minutes",
        f"{PROVING}::test_outside_the_demo_it_takes_a_code_and_no_password",
        f"{PROVING}::test_its_owners_are_told_who_made_a_new_secret_for_what",
        f"{PROVING}::test_nobody_makes_secrets_by_the_dozen",
    ],
    "AD-06": [
        "tests/test_policy.py::test_no_page_of_the_admin_needs_more_than_its_policy",
        "tests/test_policy.py::test_no_other_page_needs_more_than_the_strict_policy",
        "tests/browser/test_desk.py::test_every_screen_can_be_read_and_breaks_no_rule",
    ],
    "AD-07": [
        f"{SESSIONS}::test_staff_who_were_away_for_half_an_hour_sign_in_again_and_go_on_where_they_were",
        f"{SESSIONS}::test_whoever_works_on_stays_until_twelve_hours_are_over",
        f"{SESSIONS}::test_after_signing_out_the_cookie_opens_nothing",
        f"{SESSIONS}::test_cookies_are_for_our_own_pages_alone",
    ],
    "AD-08": ["tests/test_deployment.py::test_the_checks_of_a_deployment_have_nothing_to_say"],
}
