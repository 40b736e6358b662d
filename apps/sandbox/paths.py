"""Which addresses belong to the simulated vendors, and which of those are resource calls."""

VENDOR_PATHS = ("/v1/", "/organization/", "/inventories/", "/.well-known/")
CALLS = ("/organization/", "/inventories/", "/v1/ping")
