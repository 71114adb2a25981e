"""Pages of `imaging`."""

from __future__ import annotations

from django.urls import path

from . import views

app_name = "imaging"
urlpatterns = [
    path("upload/", views.upload, name="upload"),
    path("upload/status/", views.uploads_status, name="uploads-status"),
    path("quarantine/", views.quarantine, name="quarantine"),
    path(
        "quarantine/<int:quarantined_id>/dismiss/",
        views.quarantine_dismiss,
        name="quarantine-dismiss",
    ),
]
