"""REST addresses of `patients`, under /api/v1/."""

from __future__ import annotations

from django.urls import path

from . import api

urlpatterns = [
    path("patients/", api.PatientsView.as_view(), name="api-patients"),
    path("patients/<int:pk>/", api.PatientView.as_view(), name="api-patient"),
    path(
        "patients/<int:pk>/observations/",
        api.ObservationsView.as_view(),
        name="api-patient-observations",
    ),
]
