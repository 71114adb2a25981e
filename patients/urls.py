"""Pages of `patients`."""

from __future__ import annotations

from django.urls import path

from . import views

app_name = "patients"
urlpatterns = [
    path("patients/", views.patient_list, name="list"),
    path("patients/<int:pk>/", views.patient_page, name="patient"),
    path("patients/<int:pk>/observations/", views.observation_new, name="observation-new"),
    path(
        "patients/<int:pk>/observations/<int:observation_id>/strike/",
        views.observation_strike,
        name="observation-strike",
    ),
]
