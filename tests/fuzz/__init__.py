"""The API under calls that nobody would write by hand."""

KINDS = ("anonymous", "application", "token", "shop", "key", "org_wide_key", "connector_key", "user_key")
