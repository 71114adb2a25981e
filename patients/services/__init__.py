"""Writes of `patients`: one module per noun."""
