"""Guards of stock: who reports it, that it counts once, and that none is promised twice."""

from .guards import Guard

API, STOCKING, JUDGING = "apps/catalog/inventory_api.py", "apps/catalog/stocking.py", "apps/catalog/judging.py"
INVENTORY, REPORTING = "tests/catalog/test_inventory_api.py", "tests/catalog/test_reporting.py"

STOCK_GUARDS = [
    Guard(
        "moments",
        "apps/moments.py",
        "if not EARLIEST <= moment.year <= LATEST:",
        "if False:",
        (f"{INVENTORY}::test_a_moment_out_of_reach_is_refused_in_its_row_alone",),
    ),
    Guard(
        "zones",
        "apps/moments.py",
        "moment.replace(tzinfo=UTC)).astimezone(UTC)",
        "moment.replace(tzinfo=UTC))",
        (f"{INVENTORY}::test_a_moment_is_believed_in_any_zone",),
    ),
    Guard(
        "moments",
        "apps/integrations/org_api.py",
        "return in_utc(super().to_internal_value(data))",
        "return super().to_internal_value(data)",
        (f"{INVENTORY}::test_a_report_that_is_none_is_refused_whole",),
    ),
    Guard(
        "60",
        API,
        "if category_of(integration) != Category.LOGISTICS:",
        "if False:",
        (f"{INVENTORY}::test_no_key_but_a_warehouses_reports_stock",),
    ),
    Guard(
        "60",
        "apps/catalog/models/locations.py",
        "and (free or self.integration_id == integration.pk)",
        "",
        (f"{REPORTING}::test_only_who_fulfils_from_an_active_location_reports_for_it",),
    ),
    Guard(
        "64",
        STOCKING,
        "if level is None or level.on_hand - level.reserved < one.reserved or",
        "if level is None or",
        ("tests/catalog/test_stocking.py::test_reserving_is_all_or_nothing",),
    ),
    Guard(
        "WI-05",
        JUDGING,
        "if (level.id, entry) in held.seen:",
        "if False:",
        (f"{REPORTING}::test_each_row_has_its_own_outcome",),
    ),
    Guard(
        "WI-05",
        JUDGING,
        "if level.key and new < level.key:",
        "if False:",
        ("tests/catalog/test_stock_convergence.py::test_the_highest_version_is_believed",),
    ),
]
