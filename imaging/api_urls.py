"""REST addresses of `imaging`, under /api/v1/."""

from __future__ import annotations

from django.urls import path

from . import api

urlpatterns = [
    path("images/<int:image_id>/rendered.png", api.RenderedView.as_view(), name="image-rendered"),
    path("images/<int:image_id>/pixels/", api.PixelsView.as_view(), name="image-pixels"),
    path("images/<int:image_id>/tables/", api.TablesView.as_view(), name="image-tables"),
    path("images/<int:image_id>/original/", api.OriginalView.as_view(), name="image-original"),
    path("quarantine/", api.QuarantineListView.as_view(), name="quarantine-list"),
    path(
        "quarantine/<int:quarantined_id>/dismiss/",
        api.QuarantineDismissView.as_view(),
        name="quarantine-dismiss",
    ),
]
