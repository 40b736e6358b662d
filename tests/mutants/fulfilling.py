"""Guards of what comes back from the shelf: it counts once, what is final stays, and only its own warehouse says it."""

from .guards import Guard

FULFILLING, PACKING = "apps/orders/fulfilling.py", "apps/orders/packing.py"
API, PICKING = "apps/orders/fulfillments_api.py", "apps/orders/picking.py"
TESTS, NEWS = "tests/orders/test_fulfilling.py", "tests/orders/test_fulfilling_news.py"
API_TESTS, PICKING_TESTS = "tests/orders/test_fulfillments_api.py", "tests/orders/test_picking.py"

FULFILLING_GUARDS = [
    Guard(
        "76",
        FULFILLING,
        "if entry and (known := own.parcels.filter(ext_parcel_id=entry).first()):",
        "if entry and (known := None):",
        (f"{TESTS}::test_the_same_parcel_counts_once",),
    ),
    Guard(
        "78",
        FULFILLING,
        '    if own.is_final:\n        raise Problem("fulfillment_is_final")\n    lines',
        "    lines",
        (f"{TESTS}::test_a_final_one_does_not_change",),
    ),
    Guard(
        "76",
        PACKING,
        "if number > line.open:",
        "if False:",
        (f"{TESTS}::test_what_cannot_be_shipped_changes_nothing",),
    ),
    Guard(
        "76",
        FULFILLING,
        "if own.source_version is not None and news.version < own.source_version:",
        "if False:",
        (f"{NEWS}::test_what_is_older_says_nothing",),
    ),
    Guard(
        "TN-01",
        FULFILLING,
        "own = Fulfillment.objects.filter(organization=integration.organization_id, integration=integration)",
        "own = Fulfillment.objects.all()",
        (f"{NEWS}::test_a_warehouse_says_nothing_of_anothers",),
    ),
    Guard(
        "78",
        API,
        "if found.integration_id != request.user.integration.pk:",
        "if False:",
        (f"{API_TESTS}::test_who_sees_all_of_it_still_ships_nothing_of_another_place",),
    ),
    Guard(
        "93",
        PICKING,
        "if own.version != version:",
        "if False:",
        (f"{PICKING_TESTS}::test_the_second_picker_is_told",),
    ),
]
