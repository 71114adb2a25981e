"""Pages of `planning`."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import views_loss, views_scenarios, views_suggestion, views_what_if

app_name = "planning"
urlpatterns: list[URLPattern] = [
    path("planning/what-if/", views_what_if.what_if, name="what-if"),
    path("planning/what-if/keep/", views_what_if.keep, name="keep"),
    path("planning/what-if/apply/", views_what_if.apply, name="apply"),
    path("planning/undo/", views_what_if.undo, name="undo"),
    path("planning/scenarios/", views_scenarios.listed, name="scenarios"),
    path("planning/scenarios/<int:pk>/delete/", views_scenarios.delete, name="scenario-delete"),
    path("planning/suggestion/", views_suggestion.suggestion, name="suggestion"),
    path("planning/suggestions/<int:pk>/accept/", views_suggestion.accept, name="accept"),
    path("planning/loss/<int:pk>/", views_loss.loss, name="loss"),
]
