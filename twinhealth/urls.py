"""All addresses but /healthz, /readyz and /metrics (twinhealth/web/health.py).

The only file of the hall that sees the rooms, and it does so by name.
"""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

api: list[URLPattern | URLResolver] = [
    path("", include("accounts.api_urls")),
    path("", include("devices.api_urls")),
    path("", include("patients.api_urls")),
    path("", include("imaging.api_urls")),
    path("", include("detection.api_urls")),
    path("", include("detection.api_urls_patients")),
    path("", include("reading.api_urls")),
    path("", include("maintenance.api_urls")),
    path("", include("quality.api_urls")),
    path("", include("inventory.api_urls")),
    path("", include("planning.api_urls")),
    path("", include("notices.api_urls")),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path(
        "docs/",
        # its script comes by an address of its own: no inline script anywhere
        SpectacularSwaggerSplitView.as_view(
            url_name="schema", template_name="accounts/api_docs.html"
        ),
        name="docs",
    ),
]

urlpatterns = [
    path("api/v1/", include(api)),
    path("", include("accounts.home_urls")),
    path("", include("accounts.urls")),
    path("", include("devices.urls")),
    path("", include("patients.urls")),
    path("", include("imaging.urls")),
    path("", include("detection.search_urls")),
    path("", include("detection.urls")),
    path("", include("reading.urls")),
    path("", include("maintenance.urls")),
    path("", include("quality.urls")),
    path("", include("inventory.urls")),
    path("", include("planning.urls")),
    path("", include("notices.urls")),
]

handler400 = "twinhealth.web.views.bad_request"
handler403 = "twinhealth.web.views.permission_denied"
handler404 = "twinhealth.web.views.page_not_found"
handler500 = "twinhealth.web.views.server_error"
