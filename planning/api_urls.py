"""REST addresses of `planning`, below `/api/v1/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import api

urlpatterns: list[URLPattern] = [
    path("what-ifs/", api.WhatIfView.as_view(), name="api-what-ifs"),
    path("schedule-suggestions/", api.SuggestionView.as_view(), name="api-suggestions"),
    path("devices/<int:pk>/loss/", api.LossView.as_view(), name="api-loss"),
]
