"""REST addresses of `devices`, under /api/v1/; those of maintenance: `api_urls_maintenance`."""

from __future__ import annotations

from .api_urls_maintenance import urlpatterns as maintenance_patterns

urlpatterns: list = [*maintenance_patterns]
