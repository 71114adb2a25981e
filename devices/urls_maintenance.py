"""Pages of maintenance."""

from __future__ import annotations

urlpatterns: list = []
