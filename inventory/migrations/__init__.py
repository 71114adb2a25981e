"""Migrations of `inventory`."""
