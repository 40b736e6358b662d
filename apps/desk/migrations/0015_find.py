from django.db import migrations

# What `finding` looks rows up by, in its own words. One index finds a code and its beginning, in whatever case and
# whatever order the database sorts texts in; the exact one comes first.
CODES = {
    "orders_by_code": "orders_order (number)",
    "orders_by_ext_code": "orders_order (ext_order_id)",
    "parcels_by_tracking_number": "orders_parcel (tracking_number)",
    "fulfillments_by_remote_id": "orders_fulfillment (remote_id)",
    "products_by_code": "catalog_product (sku)",
    "stores_by_ext_id": "accounts_store (ext_id)",
    "connections_by_ext_shop_id": "shops_connection (ext_shop_id)",
    "shops_by_ext_shop_id": "shops_shop (ext_shop_id)",
    "integrations_by_account": "integrations_integration (account_ref)",
    "keys_by_prefix": "integrations_apikey (prefix)",
    "receipts_by_remote_id": "webhooks_receipt (remote_id)",
    "people_by_email": "accounts_user (email)",
    "invitations_by_email": "accounts_invitation (email)",
}
WORDS = {
    "words_of_organizations": "accounts_organization (name)",
    "words_of_stores": "accounts_store (name)",
    "words_of_connections": "shops_connection (name)",
    "words_of_shops": "shops_shop (name)",
    "words_of_integrations": "integrations_integration (name)",
    "words_of_partner_connectors": "integrations_partnerconnector (name)",
    "words_of_endpoints": "webhooks_endpoint (name)",
    "words_of_addresses": "webhooks_endpoint (split_part(url, '?', 1))",
}
OTHERS = {
    "orders_by_any_email": "orders_order (email) WHERE email <> ''",
    "listings_by_unknown_sku": "catalog_listing (sku) WHERE product_id IS NULL AND removed_at IS NULL",
    "reports_by_sku": "catalog_heldreport (sku)",
    "hindrances_by_unknown_sku": "orders_hindrance (ref) WHERE code = 'unknown_sku'",
    "audit_by_request": "audit_entry (request_id) WHERE request_id <> ''",
}


def statements():
    for name, column in CODES.items():
        table, field = column.removesuffix(")").split(" (")
        yield f"CREATE INDEX {name} ON {table} ((upper({field}) COLLATE \"C\")) WHERE {field} <> ''"
    for name, column in WORDS.items():
        table, text = column.removesuffix(")").split(" (", 1)
        yield f"CREATE INDEX {name} ON {table} USING gin (to_tsvector('simple'::regconfig, COALESCE({text}, '')))"
    for name, rest in OTHERS.items():
        yield f"CREATE INDEX {name} ON {rest}"


class Migration(migrations.Migration):
    dependencies = [
        ("desk", "0010_say_what_was_dismissed"),
        ("accounts", "0004_refer_within_one_organization"),
        ("audit", "0002_append_only"),
        ("catalog", "0013_refer_to_own_listings_and_reporters"),
        ("integrations", "0009_hold_new_orders"),
        ("orders", "0004_find_what_goes_by_the_fallback"),
        ("shops", "0006_one_connection_of_a_warehouse"),
        ("webhooks", "0012_sweep_queues_often"),
    ]
    operations = [
        migrations.RunSQL(";\n".join(statements()), f"DROP INDEX {', '.join([*CODES, *WORDS, *OTHERS])}"),
    ]
