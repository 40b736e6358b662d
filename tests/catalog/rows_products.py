"""Which test shows which behaviour of the contracts (5.3) and which row of the threat model: products, locations."""

API, BULK, CHANGING, LISTINGS, LOCATIONS = (
    f"tests/catalog/test_{name}.py"
    for name in ("products_api", "products_bulk", "changing_products", "listings_api", "locations_api")
)
PLATFORMS = "tests/catalog/test_skus_of_platforms.py"

ROWS: dict[str, list[str]] = {
    "48": [
        f"{API}::test_a_token_sees_only_the_products_of_its_own_shop",
        f"{API}::test_a_key_sees_what_the_shops_of_its_integration_list_and_with_its_organization_all",
    ],
    "49": [f"{API}::test_a_token_without_a_shop_creates_no_product"],
    "56": [f"{API}::test_adding_a_product_stores_what_is_said_of_it_and_leaves_its_stock_at_zero"],
    "57": [
        f"{API}::test_a_product_needs_a_name_an_external_id_and_a_sku",
        f"{API}::test_what_is_wrong_with_a_product_is_named",
    ],
    "58": [
        f"{API}::test_the_same_sku_from_a_second_shop_is_linked_and_not_doubled",
        f"{BULK}::test_each_product_has_its_outcome",
    ],
    "59": [f"{CHANGING}::test_a_sku_that_another_product_has_is_refused"],
    "60": [f"{API}::test_no_stock_can_be_set_with_a_product"],
    "62": [f"{API}::test_a_product_shows_its_stock_in_all_and_where_it_is"],
    "65": [
        f"{API}::test_a_product_with_stock_cannot_be_deleted",
        f"{API}::test_a_deleted_product_is_archived_and_its_ledger_stays",
    ],
    "68": [
        f"{LISTINGS}::test_an_unlinked_one_has_no_product_and_is_owed_nothing",
        f"{LISTINGS}::test_a_flag_is_set_and_the_other_stays",
    ],
    "69": [
        f"{LOCATIONS}::test_a_warehouse_creates_a_location_and_fulfils_from_it",
        f"{LOCATIONS}::test_a_location_is_created_once_for_an_integration",
        f"{LOCATIONS}::test_of_calls_at_once_one_creates_the_location",
    ],
    "TN-05": [
        f"{BULK}::test_a_call_that_names_another_organizations_rows_takes_none_of_them",
        f"{LISTINGS}::test_a_product_of_another_organization_is_none",
    ],
    "TN-06": [f"{API}::test_a_sku_of_another_organization_is_nobodys_business"],
    "IN-04": [
        f"{API}::test_every_sku_is_kept_as_it_was_sent_and_is_one_of_its_own",
        f"{API}::test_a_sku_that_cannot_be_kept_is_refused",
        f"{BULK}::test_every_sku_is_kept_as_it_was_sent",
        f"{PLATFORMS}::test_every_sku_of_a_platform_is_stored_as_it_was_sent",
        f"{PLATFORMS}::test_a_sku_that_cannot_be_stored_fails_alone",
        f"{PLATFORMS}::test_otter_hears_the_skus_that_it_told",
        f"{PLATFORMS}::test_pio_hears_and_tells_every_sku",
    ],
    "IN-05": [
        f"{API}::test_what_is_no_number_of_json_is_refused",
        f"{API}::test_what_is_wrong_with_a_product_is_named",
        f"{API}::test_a_measure_is_exact",
        f"{API}::test_a_price_is_exact",
    ],
}
