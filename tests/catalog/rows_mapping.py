"""Which test shows which behaviour of the contracts (`research/contracts.md`, part 5.3): SKU mappings."""

REMAPPING = "tests/catalog/test_remapping.py"

ROWS: dict[str, list[str]] = {
    "66": [
        f"{REMAPPING}::test_66_an_order_goes_from_the_first_sku_to_the_second_and_stock_back_at_a_shop",
        f"{REMAPPING}::test_66_an_order_goes_from_the_first_sku_to_the_second_and_stock_back_at_a_warehouse",
        f"{REMAPPING}::test_a_count_that_waited_for_its_sku_is_believed",
        "tests/catalog/test_mapping.py::test_the_first_sku_of_a_shops_pair_is_the_shops_and_the_second_ours",
        "tests/catalog/test_mapping.py::test_the_first_sku_of_a_warehouses_pair_is_ours_and_the_second_the_warehouses",
    ],
    "68": [
        "tests/catalog/test_worklist.py::test_68_an_unlinked_listing_waits_in_the_worklist_and_a_linked_one_does_not",
    ],
}
