"""Which test shows which behaviour of the contracts (`research/contracts.md`, part 5.3), and row WI-05: stock."""

API, CONVERGENCE = "tests/catalog/test_inventory_api.py", "tests/catalog/test_stock_convergence.py"

ROWS: dict[str, list[str]] = {
    "60": [
        "tests/tenancy/test_stock.py::test_no_route_lets_a_shop_change_stock",
        f"{API}::test_a_warehouse_reports_for_its_own_locations_only",
        f"{API}::test_no_key_but_a_warehouses_reports_stock",
        f"{API}::test_no_token_and_no_person_reports_stock",
        "tests/catalog/test_reporting.py::test_only_who_fulfils_from_an_active_location_reports_for_it",
    ],
    "62": [f"{API}::test_a_level_is_shown_with_its_four_numbers"],
    "63": [f"{API}::test_stock_is_found_by_sku_product_location_and_time"],
    "64": [
        "tests/catalog/test_stocking.py::test_a_change_has_its_line_and_its_event",
        f"{API}::test_the_ledger_tells_each_change_with_its_cause_newest_first",
        f"{CONVERGENCE}::test_the_ledger_adds_up_after_whatever_was_done",
    ],
    "WI-05": [
        f"{CONVERGENCE}::test_the_highest_version_is_believed",
        f"{CONVERGENCE}::test_changes_and_counts_in_any_order_end_at_what_the_warehouse_has",
        f"{CONVERGENCE}::test_counts_that_contradict_each_other_end_the_same_in_any_order",
        f"{CONVERGENCE}::test_parts_of_complete_counts_end_the_same_in_any_order",
    ],
}
