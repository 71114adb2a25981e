"""REST addresses of `imaging`, under /api/v1/."""

from __future__ import annotations

urlpatterns: list = []
