"""Otter's public contract: authorization, organization, connections and inventory summaries."""
