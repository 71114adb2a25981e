"""The address `/`, known to every room as `home`."""

from __future__ import annotations

from django.urls import path

from .views.session import home

urlpatterns = [path("", home, name="home")]
