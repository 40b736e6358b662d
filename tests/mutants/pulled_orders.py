"""Guards of the way to a platform and back: an order comes once, is followed with care, and its parcel is told once."""

from .guards import Guard

PULLING, TELLING = "apps/syncs/pulling_orders.py", "apps/syncs/telling_parcels.py"
FOLLOWING, ORDERING = "apps/orders/following.py", "apps/integrations/connectors/vendure/ordering.py"
PULLING_TESTS, TELLING_TESTS = "tests/syncs/test_pulling_orders.py", "tests/syncs/test_telling_parcels.py"
FOLLOWING_TESTS = "tests/orders/test_following.py"
ORDERS_TESTS = "tests/integrations/connectors/vendure/test_orders.py"
PARCELS_TESTS = "tests/integrations/connectors/vendure/test_parcels.py"

PULLED_ORDER_GUARDS = [
    Guard(
        "once",
        FOLLOWING,
        "if order.digest == digest:",
        "if False:",
        (f"{FOLLOWING_TESTS}::test_the_same_again_writes_nothing",),
    ),
    Guard(
        "72",
        FOLLOWING,
        "elif is_handed_over(order):",
        "elif False:",
        (f"{FOLLOWING_TESTS}::test_after_hand_over_what_differs_is_flagged_and_the_lines_stay",),
    ),
    Guard(
        "74",
        FOLLOWING,
        "    cancelling.drop(order, cancelling.live_of(order), by=by)\n",
        "",
        (f"{FOLLOWING_TESTS}::test_what_was_reserved_is_given_back_when_it_changes_before_anybody_began",),
    ),
    Guard(
        "77",
        FOLLOWING,
        "    if late:\n",
        "    if False:\n",
        (f"{FOLLOWING_TESTS}::test_what_is_cancelled_there_too_late_goes_on_and_says_so",),
    ),
    Guard(
        "once",
        PULLING,
        "if intake.key_of(told) not in known and not told.is_cancelled]",
        "if intake.key_of(told) not in known]",
        (f"{PULLING_TESTS}::test_what_is_over_at_the_platform_before_we_heard_of_it_is_none_of_ours",),
    ),
    Guard(
        "TN-01",
        PULLING,
        "shop=found.shop_id)\n    rows = rows.filter(ext",
        ")\n    rows = rows.filter(ext",
        (f"{PULLING_TESTS}::test_another_shop_has_orders_of_its_own_under_the_same_ids",),
    ),
    Guard(
        "once",
        ORDERING,
        'ours = [item for item in found["fulfillments"] or () if _mark(store, parcel.reference) in item["method"]]',
        "ours: list[dict[str, Any]] = []",
        (f"{PARCELS_TESTS}::test_one_that_vendure_knows_already_changes_nothing",),
    ),
    Guard(
        "once",
        ORDERING,
        'if fulfillment["state"] != "Cancelled" and _signature(store) not in fulfillment["method"]:',
        'if fulfillment["state"] != "Cancelled":',
        (f"{ORDERS_TESTS}::test_the_lines_have_what_is_for_us_to_ship",),
    ),
    Guard(
        "once",
        TELLING,
        "if not parcel.mine().update(lease_until=None, **done):",
        "if not Parcel.objects.filter(pk=parcel.pk).update(lease_until=None, **done):",
        (f"{TELLING_TESTS}::test_who_lost_its_lease_writes_nothing_down",),
    ),
]
