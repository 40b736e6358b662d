from importlib import import_module

from django.db import migrations

BEFORE = import_module("apps.orders.migrations.0003_ask_for_skus_of_orders").WAITING


def _with_beginning(view: str) -> str:
    """The same view with one more column at its end: when the first of what waits for the SKU came."""
    for was, becomes in [
        ("CREATE VIEW", "CREATE OR REPLACE VIEW"),
        ("ignored.id IS NOT NULL AS is_ignored\n", "ignored.id IS NOT NULL AS is_ignored, waiting.began_at\n"),
        ("max(seen_at) AS seen_at\n", "max(seen_at) AS seen_at, min(began_at) AS began_at\n"),
        ("listing.updated_at AS seen_at\n", "listing.updated_at AS seen_at, listing.created_at AS began_at\n"),
        ("times, updated_at FROM catalog_heldreport", "times, updated_at, created_at FROM catalog_heldreport"),
        ("h.ref, NULL, 1, h.since\n", "h.ref, NULL, 1, h.since, h.since\n"),
    ]:
        assert view.count(was) == 1, was
        view = view.replace(was, becomes)
    return view


class Migration(migrations.Migration):
    dependencies = [("orders", "0004_find_what_goes_by_the_fallback")]
    operations = [
        migrations.RunSQL(
            _with_beginning(BEFORE), "DROP VIEW catalog_waitingsku;" + BEFORE
        ),
    ]
