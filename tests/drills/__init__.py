"""Drills: what happens to an import when processes die, the broker forgets, or the platform misbehaves."""
