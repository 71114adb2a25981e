"""Pages of `maintenance`."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import views_figures

app_name = "maintenance"
urlpatterns: list[URLPattern] = [
    path("maintenance/figures/", views_figures.figures, name="figures"),
    path("maintenance/figures.csv", views_figures.figures_csv, name="figures-csv"),
    path("maintenance/figures/<slug:figure>/", views_figures.rows, name="figure-rows"),
    path("maintenance/covered-hours/", views_figures.hours, name="hours"),
    path("maintenance/covered-hours/set/", views_figures.hours_set, name="hours-set"),
]
