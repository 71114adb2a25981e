"""Reads of `quality`."""
