"""Writes of `quality`."""
