"""The owner's journey in a real browser, against the product as `make demo` runs it."""
