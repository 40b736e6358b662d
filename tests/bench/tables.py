"""The tables of the catalogue, between measurements."""

from django.db import connection

from apps.catalog.models import Listing, Product, Sighting
from apps.webhooks.models import Event

TABLES = tuple(model._meta.db_table for model in (Listing, Product, Sighting, Event))


def empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")


def settle() -> None:
    """What the database does by itself some time after a load, at once: statistics, and pages that all may see."""
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"VACUUM ANALYZE {table}")
