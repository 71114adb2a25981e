"""Writes of `notices`."""
