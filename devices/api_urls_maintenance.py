"""REST addresses of maintenance, under /api/v1/."""

from __future__ import annotations

urlpatterns: list = []
