"""Pages of `notices`."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import views, views_settings

app_name = "notices"
urlpatterns: list[URLPattern] = [
    path("notices/", views.notices, name="list"),
    path("notices/read/", views.read_all, name="read-all"),
    path("notices/undo/", views.undo, name="undo"),
    path("notices/<int:pk>/read/", views.read_one, name="read"),
    path("notices/digest/", views.digest, name="digest"),
    path("notices/settings/", views_settings.settings, name="settings"),
    path("notices/who/", views_settings.who, name="who"),
    path("notices/policy/", views_settings.policy, name="policy"),
]
