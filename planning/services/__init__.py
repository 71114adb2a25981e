"""Writes of `planning`."""
