"""REST addresses of a patient's time axis, under /api/v1/."""

from __future__ import annotations

from django.urls import path

from .api_patients import TimelineView

urlpatterns = [
    path("patients/<int:pk>/timeline/", TimelineView.as_view(), name="api-patient-timeline"),
]
