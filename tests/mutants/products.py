"""Guards of products, listings and locations over the API."""

from .guards import Guard

MODELS = "apps/catalog/models/products.py"
API, LISTINGS, LOCATIONS = (f"tests/catalog/test_{name}_api.py" for name in ("products", "listings", "locations"))

PRODUCT_GUARDS = [
    Guard(
        "48",
        MODELS,
        "return rows.listed(Listing.objects.for_principal(request))",
        "return rows",
        (f"{API}::test_a_token_sees_only_the_products_of_its_own_shop",),
    ),
    Guard(
        "48",
        MODELS,
        "return rows.filter(shop__in=Shop.objects.for_principal(request))",
        "return rows",
        (f"{LISTINGS}::test_a_key_sees_those_of_its_own_integration",),
    ),
    Guard(
        "TN-05",
        "apps/catalog/listings_api.py",
        "product = Product.objects.for_principal(request).filter(**named).first()",
        "product = Product.objects.filter(**named).first()",
        (f"{LISTINGS}::test_a_product_of_another_organization_is_none",),
    ),
    Guard(
        "60",
        "apps/catalog/product_bodies.py",
        "if isinstance(data, dict) and (named := sorted(STOCK & set(data))):",
        "if False:",
        (f"{API}::test_no_stock_can_be_set_with_a_product",),
    ),
    Guard(
        "65",
        "apps/catalog/registering.py",
        'raise Problem("product_has_stock")',
        "pass",
        (f"{API}::test_a_product_with_stock_cannot_be_deleted",),
    ),
    Guard(
        "69",
        "apps/catalog/locations_api.py",
        "if location.organization_id is None:",
        "if False:",
        (f"{LOCATIONS}::test_a_key_sees_its_own_and_one_of_the_organization_all_and_the_3pls_own",),
    ),
]
