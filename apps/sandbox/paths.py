"""Which addresses belong to the simulated vendors, and which of those are resource calls."""

PIO_API = "/api/v1/"
VENDOR_PATHS = ("/v1/", "/organization/", "/inventories/", "/manager/", "/.well-known/", PIO_API, "/raw/openapi_auth/")
CALLS = ("/organization/", "/inventories/", "/manager/", "/v1/ping")
