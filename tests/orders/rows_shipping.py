"""Which test shows which behaviour of the contracts (5.3): shipping methods."""

SHIPPING, API, SERVICES = (
    "tests/orders/test_shipping.py",
    "tests/orders/test_shipping_api.py",
    "tests/syncs/test_pulling_services.py",
)
ATTENTION = "tests/desk/test_home.py"

ROWS: dict[str, list[str]] = {
    "80": [
        f"{SHIPPING}::test_behaviour_80_a_method_is_what_the_mapping_says",
        f"{SHIPPING}::test_behaviour_80_the_fallback_applies_when_no_entry_matches",
        f"{SHIPPING}::test_names_match_exactly_or_not_at_all",
        f"{SHIPPING}::test_orders_that_wait_for_a_changed_name_are_looked_at_again",
        f"{API}::test_what_holds_is_read_with_the_names_nobody_has_said_the_meaning_of",
        f"{SERVICES}::test_what_it_no_longer_lists_is_marked_and_kept_and_comes_back_as_it_was",
        f"{ATTENTION}::test_the_first_page_counts_what_needs_somebody_and_names_the_oldest",
    ],
}
