"""Migrations of `notices`."""
