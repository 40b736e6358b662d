"""Otter's public contract: authorization, organization, connections, inventory summaries and availability."""
