"""The address of the top bar's search, known to every room as `search`."""

from __future__ import annotations

from django.urls import path

from .search import search

urlpatterns = [path("search/", search, name="search")]
