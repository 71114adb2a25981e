"""REST addresses of `notices`, below `/api/v1/`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from . import api

router = SimpleRouter()
router.register("notices", api.NoticeViewSet, basename="api-notices")
urlpatterns: list[URLPattern | URLResolver] = [
    path("notice-settings/", api.NoticeSettingsView.as_view(), name="api-notice-settings"),
    path("notice-policy/", api.NoticePolicyView.as_view(), name="api-notice-policy"),
    path("", include(router.urls)),
]
