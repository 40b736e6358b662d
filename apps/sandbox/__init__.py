"""Simulators of vendors' public APIs: a small Django project of its own, in a process of its own.

Nothing here imports the portal and the portal imports nothing from here; they meet over HTTP only.
"""
