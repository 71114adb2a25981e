"""Management commands of the hall."""
