"""Pages of `detection`."""

from __future__ import annotations

from django.urls import path

from . import (
    views,
    views_datasets,
    views_models,
    views_rereads,
    views_uploads,
    views_version_report,
)

app_name = "detection"
urlpatterns = [
    path("datasets/", views_datasets.datasets, name="datasets"),
    path("datasets/body/", views_datasets.datasets_body, name="datasets-body"),
    path("datasets/export/", views_datasets.export, name="dataset-export"),
    path("datasets/<int:version_id>/", views_datasets.dataset, name="dataset"),
    path("datasets/<int:version_id>/download/", views_datasets.download, name="dataset-download"),
    path("films/<int:image_id>/state/", views.film_state, name="film-state"),
    path("patients/<int:patient_id>/films/", views.patient_films, name="patient-films"),
    path("devices/<int:device_id>/images/", views.device_images, name="device-images"),
    path("devices/<int:device_id>/re-reads/", views_rereads.device_rereads, name="device-re-reads"),
    path(
        "devices/<int:device_id>/degraded/preview/",
        views_rereads.degraded_preview,
        name="degraded-preview",
    ),
    path("models/", views_models.models, name="models"),
    path("models/upload/", views_uploads.upload, name="weights-upload"),
    path("models/uploads/", views_uploads.uploads, name="weights-uploads"),
    path("models/rollback/", views_models.roll_back, name="roll-back"),
    path("models/<int:version_id>/report/", views_version_report.report, name="version-report"),
    path("models/<int:version_id>/compare/", views_models.compare, name="compare"),
    path("models/<int:version_id>/promote/", views_models.promote, name="promote"),
    path("models/<int:version_id>/shadow/", views_models.shadow, name="shadow"),
    path("models/<int:version_id>/retire/", views_models.retire, name="retire"),
    path("models/<int:version_id>/score/", views_models.score, name="score"),
]
