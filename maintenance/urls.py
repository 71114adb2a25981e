"""Pages of `maintenance`."""

from __future__ import annotations

from django.urls import URLPattern

app_name = "maintenance"
urlpatterns: list[URLPattern] = []
