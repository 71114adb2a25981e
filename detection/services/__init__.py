"""Writes of this room; the public functions own their transaction."""
