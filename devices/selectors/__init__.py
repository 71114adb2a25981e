"""Reads of the device twin: one function per page or list."""

from .health import health_at, health_many

__all__ = ["health_at", "health_many"]
