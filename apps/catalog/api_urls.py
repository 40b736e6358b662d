"""Addresses of products, of what platforms call them, and of locations in the API."""

from django.urls import path

from apps.api.lanes import quick_or_careful
from apps.api.routes import operations

from . import inventory_api, listings_api, locations_api, mapping_api, products_api, quick

INTEGRATION_PRODUCTS = "v1/organizations/<uuid:organization_id>/integration-products"

INTEGRATION = "v1/organizations/<uuid:organization_id>/integrations/<uuid:integration_id>"

urlpatterns = [
    path("v1/products", operations(get=products_api.list_products, post=products_api.create_product), name="products"),
    path("v1/products/bulk", operations(post=products_api.create_products), name="products-bulk"),
    path(
        "v1/products/<int:product_id>",
        operations(get=products_api.read_product, put=products_api.update_product, delete=products_api.delete_product),
        name="product",
    ),
    path(
        INTEGRATION_PRODUCTS,
        operations(get=listings_api.list_integration_products),
        name="integration-products",
    ),
    path(
        f"{INTEGRATION_PRODUCTS}/<int:integration_product_id>",
        operations(get=listings_api.read_integration_product, put=listings_api.update_integration_product),
        name="integration-product",
    ),
    path(
        "v1/locations",
        operations(get=locations_api.list_locations, post=locations_api.create_location),
        name="locations",
    ),
    path(
        "v1/locations/<uuid:location_id>",
        operations(get=locations_api.read_location, put=locations_api.update_location),
        name="location",
    ),
    path(
        f"{INTEGRATION}/sku-mapping",
        operations(get=mapping_api.read_mapping, put=mapping_api.write_mapping),
        name="sku-mapping",
    ),
    path(
        f"{INTEGRATION}/sku-mapping/preview",
        operations(post=mapping_api.preview_mapping),
        name="sku-mapping-preview",
    ),
    path(
        f"{INTEGRATION}/sku-mapping/versions",
        operations(get=mapping_api.list_versions),
        name="sku-mapping-versions",
    ),
    path(
        f"{INTEGRATION}/sku-mapping/rollback",
        operations(post=mapping_api.roll_back),
        name="sku-mapping-rollback",
    ),
    path(f"{INTEGRATION}/unmatched", operations(get=mapping_api.list_unmatched), name="unmatched"),
    path(f"{INTEGRATION}/unmatched/accept", operations(post=mapping_api.accept_matches), name="unmatched-accept"),
    path("v1/inventory", operations(get=inventory_api.list_inventory), name="inventory"),
    path(
        "v1/inventory/reports",
        quick_or_careful(quick.take, operations(post=inventory_api.report_inventory)),
        name="inventory-reports",
    ),
    path("v1/inventory/<int:product_id>", operations(get=inventory_api.read_inventory), name="inventory-product"),
    path("v1/inventory/<int:product_id>/ledger", operations(get=inventory_api.list_ledger), name="inventory-ledger"),
]
