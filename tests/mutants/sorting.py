"""Guards of the sorting of orders: nothing that changes meanwhile is missed, and no order stops another."""

from .guards import Guard

SORTING, ROUTING, RULES = "apps/orders/sorting.py", "apps/orders/routing.py", "apps/orders/models/rules.py"
TESTS = "tests/orders/test_sorting.py"

SORTING_GUARDS = [
    Guard(
        "73",
        SORTING,
        "is_new=is_new, is_held",
        "is_new=False, is_held",
        (f"{TESTS}::test_what_changes_while_an_order_is_looked_at_is_seen_by_a_second_look",),
    ),
    Guard(
        "73",
        SORTING,
        "filter(pk=claimed.pk, due_at=claimed.due_at)",
        "filter(pk=claimed.pk)",
        (f"{TESTS}::test_a_change_of_the_order_itself_while_it_is_looked_at_counts",),
    ),
    Guard(
        "73",
        SORTING,
        "        _note_bug(claimed, error)",
        "        raise",
        (f"{TESTS}::test_a_bug_in_one_order_stops_no_other_and_is_tried_again",),
    ),
    Guard(
        "73",
        SORTING,
        "return bool(case.open) and not others",
        "return bool(case.open)",
        (f"{TESTS}::test_what_a_warehouse_refused_waits_until_somebody_asks_for_it",),
    ),
    Guard(
        "74",
        ROUTING,
        "order_by(*OWN_FIRST)",
        'order_by("created_at")',
        ("tests/orders/test_routing.py::test_an_organizations_own_places_come_before_the_3pls",),
    ),
    Guard(
        "75",
        SORTING,
        "*resolving.obstacles(case.order, case.lines), *blocked",
        "*resolving.obstacles(case.order, case.lines)",
        ("tests/orders/test_ruling.py::test_a_rule_that_blocks_keeps_an_order_from_picking",),
    ),
    Guard(
        "24",
        RULES,
        'return rows if getattr(request.user, "own", None) is None else rows.none()',
        "return rows",
        (
            "tests/orders/test_rules_api.py"
            "::test_a_machine_sees_the_rules_only_with_the_whole_organization_and_saves_none",
        ),
    ),
]
