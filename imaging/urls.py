"""Pages of `imaging`."""

from __future__ import annotations

app_name = "imaging"
urlpatterns: list = []
