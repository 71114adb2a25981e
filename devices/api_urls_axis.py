"""REST addresses of the time axis, the comparison and the exports."""

from __future__ import annotations

from django.urls import path

from . import api_axis as views

urlpatterns: list = [
    path("devices/export.csv", views.FleetCsvView.as_view(), name="api-fleet-csv"),
    path("devices/compare/", views.DeviceCompareView.as_view(), name="api-device-compare"),
    path(
        "devices/<int:pk>/timeline/",
        views.DeviceTimelineView.as_view(),
        name="api-device-timeline",
    ),
    path(
        "devices/<int:pk>/baseline/",
        views.DeviceBaselineView.as_view(),
        name="api-device-baseline",
    ),
    path(
        "devices/<int:pk>/readings.csv",
        views.DeviceReadingsCsvView.as_view(),
        name="api-device-readings-csv",
    ),
]
