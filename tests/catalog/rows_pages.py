"""Which test shows which behaviour of the contracts (`research/contracts.md`, part 5.3): the people's half of stock."""

PORT, BY_HAND = "tests/catalog/test_port.py", "tests/catalog/test_by_hand.py"

ROWS: dict[str, list[str]] = {
    "57": [
        f"{PORT}::test_search_shows_the_picture_how_many_there_are_and_where",
        "tests/browser/test_port.py::test_goods_are_scanned_stored_picked_counted_and_explained",
    ],
    "61": [
        f"{PORT}::test_pieces_are_stored_at_a_location_that_is_typed_and_then_at_one_that_is_chosen",
        f"{PORT}::test_the_same_form_stores_once_however_often_it_is_sent",
        f"{BY_HAND}::test_a_form_sent_many_times_at_once_stores_once",
    ],
    "63": [f"{PORT}::test_search_shows_the_picture_how_many_there_are_and_where"],
    "64": [
        f"{BY_HAND}::test_each_deed_leaves_one_line_of_the_ledger_and_one_event",
        "tests/catalog/test_explaining.py::test_the_ledger_is_read_page_by_page_whole_and_newest_first",
        "tests/onboarding/views/test_goods.py::test_a_product_says_in_plain_words_why_its_number_is_what_it_is",
    ],
    "93": [
        f"{PORT}::test_pieces_are_picked_from_where_they_lie",
        f"{PORT}::test_more_than_there_is_cannot_be_picked_and_nothing_changes",
        f"{BY_HAND}::test_many_who_pick_at_once_never_take_more_than_there_is",
        "tests/browser/test_port.py::test_goods_are_scanned_stored_picked_counted_and_explained",
    ],
}
