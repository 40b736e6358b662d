"""Which test shows which behaviour of the contracts (`research/contracts.md`, part 5.3)."""

API = "tests/accounts/test_api.py"

ROWS: dict[str, list[str]] = {
    "1": [
        f"{API}::test_a_person_is_told_of_their_own_organization_only",
        "tests/onboarding/views/stores/test_home.py::test_home_shows_own_stores_and_nobody_elses",
    ],
    "2": [f"{API}::test_the_organization_has_an_id_and_a_name"],
    "3": [f"{API}::test_brands_come_in_pages_with_a_token_only_while_more_follow"],
    "4": [f"{API}::test_stores_are_listed_with_a_nullable_address", f"{API}::test_stores_come_in_pages"],
    "5": [f"{API}::test_another_organizations_brand_and_store_are_not_there"],
    "6": [f"{API}::test_a_list_wants_a_limit"],
}
