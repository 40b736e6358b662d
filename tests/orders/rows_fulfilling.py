"""What comes back from the shelf: the tests of behaviours 76 to 79, of 70's notes, and of the port's Pick (93)."""

FULFILLING = "tests/orders/test_fulfilling.py"
NEWS = "tests/orders/test_fulfilling_news.py"
API = "tests/orders/test_fulfillments_api.py"
PORT = "tests/orders/test_port_views.py"
STANDING = "tests/orders/test_standing_from_fulfillments.py"

ROWS = {
    "70": [
        f"{PORT}::test_a_page_shows_all_that_a_picker_needs",
        f"{API}::test_a_warehouse_reads_what_it_is_to_ship",
    ],
    "75": [
        "tests/orders/test_picking.py::test_the_most_urgent_are_picked_first_then_the_oldest",
        f"{API}::test_the_most_urgent_come_first_then_the_oldest",
    ],
    "76": [
        f"{FULFILLING}::test_what_is_shipped_leaves_the_stock_with_its_event",
        f"{API}::test_a_parcel_is_reported_with_its_tracking",
        f"{NEWS}::test_parcels_and_counts_in_any_order_end_at_what_the_warehouse_has",
    ],
    "77": [
        f"{FULFILLING}::test_a_warehouse_that_cannot_stop_it_goes_on",
        f"{API}::test_a_warehouse_that_is_asked_to_stop_says_that_it_has",
    ],
    "78": [
        f"{FULFILLING}::test_a_final_one_does_not_change",
        f"{FULFILLING}::test_not_even_a_statement_changes_a_final_one",
        f"{API}::test_a_final_one_does_not_change",
    ],
    "79": [
        f"{STANDING}::test_the_state_follows_from_the_fulfilments_alone",
        f"{STANDING}::test_whatever_comes_first_the_order_ends_the_same",
    ],
    "93": [
        f"{PORT}::test_all_is_picked_and_packed",
        f"{PORT}::test_two_pickers_are_told_of_each_other",
        "tests/browser/test_picking.py::test_an_order_is_picked_with_what_is_there",
    ],
}
