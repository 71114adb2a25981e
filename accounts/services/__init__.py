"""Writes of `accounts`: one module per noun."""
