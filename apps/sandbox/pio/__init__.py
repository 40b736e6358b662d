"""The simulator of Pio, from its public contract: accounts, shops, products, hooks, and the port where stock moves."""
