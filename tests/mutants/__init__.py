"""Each guard removed once, to see a test go red."""
