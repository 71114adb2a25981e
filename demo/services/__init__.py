"""Seeding, by the rooms' public services."""
