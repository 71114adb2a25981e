"""All addresses. The only file of the hall that sees the rooms, and it does so by name."""

from __future__ import annotations

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from twinhealth.web import views

api = [
    path("", include("accounts.api_urls")),
    path("", include("devices.api_urls")),
    path("", include("patients.api_urls")),
    path("", include("imaging.api_urls")),
    path("", include("detection.api_urls")),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
]

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
    path("api/v1/", include(api)),
    path("", include("accounts.home_urls")),
    path("", include("accounts.urls")),
    path("", include("devices.urls")),
    path("", include("patients.urls")),
    path("", include("imaging.urls")),
    path("", include("detection.search_urls")),
    path("", include("detection.urls")),
]
