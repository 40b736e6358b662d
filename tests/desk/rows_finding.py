"""Which test shows which behaviour of the contracts (5.3): found, filtered, and found again."""

FOUND, SHOWN, KEPT = (f"tests/desk/test_{name}.py" for name in ("finding", "searching", "filters"))
VIEWS, RETURNING = "tests/desk/test_views_admin.py", "tests/test_returning.py"

ROWS: dict[str, list[str]] = {
    "96": [
        f"{FOUND}::test_each_part_of_a_look_can_read_an_index",
        f"{SHOWN}::test_only_kinds_that_one_may_look_at_are_found",
        f"{SHOWN}::test_a_look_costs_the_same_whatever_there_is",
        f"{KEPT}::test_each_filter_of_each_list_is_known_there",
        f"{KEPT}::test_each_filter_that_is_on_is_shown_in_words_and_can_be_taken_away",
        f"{VIEWS}::test_a_view_opens_its_list",
        f"{RETURNING}::test_filters_stay_from_the_list_through_a_deed_and_back",
    ],
}
