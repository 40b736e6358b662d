from importlib import import_module

from django.db import migrations

FIRST = import_module("apps.orders.migrations.0003_ask_for_skus_of_orders").WAITING
BEFORE = import_module("apps.orders.migrations.0040_say_since_when_a_sku_waits")._with_beginning(FIRST)
JOIN = "JOIN orders_order o ON o.id = h.order_id"
# OFFSET 0 has each order looked up by its id: joined, all orders that there are would be read for the few that wait.
LOOKED_UP = "CROSS JOIN LATERAL (SELECT integration_id FROM orders_order WHERE id = h.order_id OFFSET 0) o"


def _by_lookup(view: str) -> str:
    assert view.count(JOIN) == 1
    return view.replace(JOIN, LOOKED_UP).replace("o.organization_id", "h.organization_id")


class Migration(migrations.Migration):
    dependencies = [("orders", "0020_find_what_the_first_page_counts")]
    operations = [migrations.RunSQL(_by_lookup(BEFORE), BEFORE)]
