"""Which test shows which behaviour of the contracts (`research/contracts.md`, part 5.3)."""

REGISTERING = "tests/integrations/test_registering.py"

ROWS: dict[str, list[str]] = {
    "16": [f"{REGISTERING}::test_whoever_registers_gets_a_client_id_and_a_secret"],
    "17": [
        f"{REGISTERING}::test_what_is_missing_is_named",
        f"{REGISTERING}::test_a_callback_url_that_is_none_is_refused",
    ],
    "18": [f"{REGISTERING}::test_an_application_reads_itself_but_not_its_secret"],
    "19": [
        f"{REGISTERING}::test_whoever_ends_itself_is_unknown_from_then_on",
        f"{REGISTERING}::test_everything_issued_to_it_dies_in_every_organization",
    ],
}
