"""REST addresses of `detection`, under /api/v1/."""

from __future__ import annotations

urlpatterns: list = []
