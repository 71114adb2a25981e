"""Pages of `patients`."""

from __future__ import annotations

app_name = "patients"
urlpatterns: list = []
