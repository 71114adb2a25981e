"""REST addresses of `detection`, under /api/v1/."""

from __future__ import annotations

from django.urls import path

from . import (
    api_datasets,
    api_gate,
    api_images,
    api_rereads,
    api_runs,
    api_uploads,
    api_versions,
)

urlpatterns = [
    path("images/", api_images.ImagesView.as_view(), name="image-list"),
    path("images/<int:pk>/", api_images.ImageView.as_view(), name="image-detail"),
    path("runs/<int:pk>/", api_runs.RunView.as_view(), name="run-detail"),
    path(
        "runs/<int:pk>/read-anyway/",
        api_gate.RunReadAnywayView.as_view(),
        name="run-read-anyway",
    ),
    path("devices/<int:pk>/gate/", api_gate.DeviceGateView.as_view(), name="device-gate"),
    path(
        "devices/<int:pk>/re-read-list/",
        api_rereads.CameFromView.as_view(),
        name="device-re-read-list",
    ),
    path("runs/<int:pk>/retry/", api_runs.RunRetryView.as_view(), name="run-retry"),
    path("label-next/", api_datasets.LabelNextView.as_view(), name="label-next"),
    path("datasets/", api_datasets.DatasetsView.as_view(), name="dataset-list"),
    path("datasets/<int:pk>/", api_datasets.DatasetView.as_view(), name="dataset-detail"),
    path(
        "datasets/<int:pk>/download/",
        api_datasets.DatasetDownloadView.as_view(),
        name="dataset-download",
    ),
    path("dataset-exports/", api_datasets.DatasetExportsView.as_view(), name="dataset-export-list"),
    path(
        "dataset-exports/<int:pk>/",
        api_datasets.DatasetExportView.as_view(),
        name="dataset-export-detail",
    ),
    path("detector-versions/", api_versions.VersionsView.as_view(), name="detector-version-list"),
    path(
        "detector-versions/uploads/",
        api_uploads.UploadsView.as_view(),
        name="weights-upload-list",
    ),
    path(
        "detector-versions/uploads/<int:pk>/",
        api_uploads.UploadView.as_view(),
        name="weights-upload-detail",
    ),
    path(
        "detector-versions/promotions/",
        api_versions.PromotionsView.as_view(),
        name="promotion-list",
    ),
    path(
        "detector-versions/rollback/",
        api_versions.RollBackView.as_view(),
        name="detector-version-rollback",
    ),
    path(
        "detector-versions/<int:pk>/promote/",
        api_versions.PromoteView.as_view(),
        name="detector-version-promote",
    ),
    path(
        "detector-versions/<int:pk>/",
        api_versions.VersionView.as_view(),
        name="detector-version-detail",
    ),
    path(
        "detector-versions/<int:pk>/compare/",
        api_versions.CompareView.as_view(),
        name="detector-version-compare",
    ),
    path(
        "detector-versions/<int:pk>/shadow/",
        api_versions.ShadowView.as_view(),
        name="detector-version-shadow",
    ),
    path(
        "detector-versions/<int:pk>/retire/",
        api_versions.RetireView.as_view(),
        name="detector-version-retire",
    ),
    path(
        "detector-versions/<int:pk>/score/",
        api_versions.ScoreView.as_view(),
        name="detector-version-score",
    ),
]
