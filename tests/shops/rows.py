"""Which test shows which behaviour of the contracts (`research/contracts.md`, part 5.3)."""

OPENING, PARTNERING = "tests/shops/test_opening.py", "tests/shops/test_partnering.py"

ROWS: dict[str, list[str]] = {
    "15": [f"{PARTNERING}::test_reading_the_organization_does_not_allow_connecting_its_stores"],
    "45": [
        f"{OPENING}::test_an_integration_has_several_shops_each_with_a_token_of_its_own",
        f"{OPENING}::test_a_key_gets_a_token_for_each_shop_it_creates",
    ],
    "46": [
        f"{OPENING}::test_the_same_token_creates_no_second_shop",
        f"{OPENING}::test_of_calls_at_once_with_one_token_one_creates_its_shop",
    ],
    "47": [
        f"{OPENING}::test_an_id_is_unique_in_the_organization",
        f"{OPENING}::test_of_tokens_that_want_one_id_at_once_one_gets_it",
    ],
    "48": [f"{OPENING}::test_a_token_reads_its_own_shop_and_no_other"],
    "49": [f"{OPENING}::test_what_a_shop_is_needed_for_is_refused_to_a_token_without"],
    "50": [f"{OPENING}::test_closing_a_shop_kills_its_token_and_no_others"],
    "51": [f"{PARTNERING}::test_a_connection_is_read_made_and_ended"],
    "52": [
        f"{PARTNERING}::test_a_connected_store_is_not_connected_again",
        f"{PARTNERING}::test_an_empty_answer_has_no_body",
        f"{PARTNERING}::test_of_calls_at_once_one_connects",
    ],
    "53": [
        f"{PARTNERING}::test_delete_and_post_replace_the_id",
        f"{PARTNERING}::test_what_is_not_connected_is_not_disconnected",
    ],
    "54": [f"{PARTNERING}::test_a_store_id_may_be_nothing_else"],
    "55": [f"{PARTNERING}::test_each_application_connects_a_store_under_an_id_of_its_own"],
    "TN-06": [f"{OPENING}::test_another_organizations_id_is_nobodys_business"],
}
