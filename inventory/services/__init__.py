"""Writes of `inventory`."""

from __future__ import annotations

from devices.services.order_changes import AnyRequest

__all__ = ["AnyRequest"]
