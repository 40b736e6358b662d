"""Which tests show which behaviours (research/contracts.md 5.3) and which rows of the threat model."""

HERE = "tests/api"

ROWS: dict[str, list[str]] = {
    "14": [
        f"{HERE}/test_policy.py::test_a_grant_that_is_missing_is_named",
        f"{HERE}/test_errors.py::test_the_message_names_no_reason_for_a_wrong_credential",
        "tests/shops/test_principals.py::test_every_wrong_credential_is_refused_alike",
    ],
    "26": [f"{HERE}/test_routes.py::test_a_refused_call_leaves_one_entry"],
    "AS-14": [f"{HERE}/test_limits.py::test_wrong_credentials_lock_out_wrong_credentials_of_that_address_alone"],
    "AS-18": [
        f"{HERE}/test_routes.py::test_a_credential_in_the_address_is_refused_even_when_right",
        f"{HERE}/test_routes.py::test_a_credential_in_the_body_is_none",
        "tests/shops/test_principals.py::test_two_credentials_in_one_call_are_refused",
    ],
}
