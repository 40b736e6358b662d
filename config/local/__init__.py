"""Running Crossdock on one machine: embedded PostgreSQL and Valkey, the demo, and the database of the tests.

Nothing here is used in production. The modules know the rest of the product only by its command lines, its
environment variables and its pages.
"""
