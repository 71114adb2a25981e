"""Pages of `detection`."""

from __future__ import annotations

app_name = "detection"
urlpatterns: list = []
