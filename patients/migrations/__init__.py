"""Migrations of `patients`."""
