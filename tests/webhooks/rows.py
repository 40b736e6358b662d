"""Which test shows which behaviour of the contracts (5.3): webhooks in."""

OPENING, PUSHING = "tests/syncs/test_opening.py", "tests/syncs/test_pushing.py"
CLIENT, MAPPING = (f"tests/integrations/connectors/pio/test_{name}.py" for name in ("client", "mapping"))
CONNECTING, WALK = (f"tests/onboarding/warehouse/test_{name}.py" for name in ("connecting", "walk"))

ROWS: dict[str, list[str]] = {
    "45": [f"{CONNECTING}::test_two_customers_of_one_warehouse_each_have_a_shop_there"],
    "46": [
        f"{CLIENT}::test_behaviour_46_the_tokens_one_shop_is_opened_under_our_id",
        f"{CLIENT}::test_behaviour_46_a_second_shop_of_one_token_is_refused_with_pios_code",
    ],
    "47": [f"{CLIENT}::test_behaviour_47_an_id_that_is_taken_in_the_organization_is_told_as_a_conflict"],
    "48": [f"{CLIENT}::test_every_call_carries_the_shops_own_token"],
    "49": [f"{CLIENT}::test_behaviour_49_a_token_without_a_shop_is_connected_under_no_id"],
    "57": [f"{CLIENT}::test_behaviour_57_a_product_is_added_with_all_we_know_of_it_and_never_with_stock"],
    "59": [
        f"{CLIENT}::test_behaviour_59_a_refused_product_fails_alone_with_a_code",
        f"{PUSHING}::test_a_refused_product_fails_alone_and_is_tried_by_the_next_run",
    ],
    "62": [f"{CLIENT}::test_behaviour_62_the_stock_is_read_page_by_page_and_a_line_nobody_understands_fails_alone"],
    "64": [
        f"{MAPPING}::test_behaviour_64_both_events_about_stock_have_one_format",
        f"{OPENING}::test_behaviour_64_a_message_about_stock_sets_the_level_with_its_cause_in_the_ledger",
        f"{OPENING}::test_both_events_of_one_change_count_once",
        f"{WALK}::test_pieces_stored_and_picked_at_the_port_arrive_here_signed_and_explain_themselves",
    ],
    "65": [
        f"{CLIENT}::test_behaviour_65_a_product_with_stock_is_not_dropped",
        f"{PUSHING}::test_an_archived_product_is_taken_away_unless_some_of_it_lies_there",
    ],
    "66": [f"{PUSHING}::test_behaviour_66_a_warehouse_is_told_its_own_sku_and_anew_when_that_changes"],
    "69": [f"{CONNECTING}::test_after_a_crash_anywhere_the_sweep_finishes_and_nothing_is_there_twice"],
    "81": [f"{CLIENT}::test_behaviour_81_hooks_are_made_only_where_they_lack_and_moved_where_they_point_elsewhere"],
    "83": [f"{MAPPING}::test_wi_01_each_of_the_six_headers_is_needed_and_signed"],
    "84": [f"{MAPPING}::test_behaviour_84_the_published_vector_is_accepted"],
    "95": ["tests/webhooks/test_admin.py::test_a_parked_or_failed_one_is_opened_again_as_the_same_row"],
}
