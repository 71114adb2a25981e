"""Pages of `devices`; those of maintenance stand in `urls_maintenance`."""

from __future__ import annotations

from .urls_maintenance import urlpatterns as maintenance_patterns

app_name = "devices"
urlpatterns: list = [*maintenance_patterns]
