"""Pages of `maintenance`."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import views_feeds, views_figures, views_week

app_name = "maintenance"
urlpatterns: list[URLPattern] = [
    path("maintenance/figures/", views_figures.figures, name="figures"),
    path("maintenance/figures.csv", views_figures.figures_csv, name="figures-csv"),
    path("maintenance/figures/<slug:figure>/", views_figures.rows, name="figure-rows"),
    path("maintenance/covered-hours/", views_figures.hours, name="hours"),
    path("maintenance/covered-hours/set/", views_figures.hours_set, name="hours-set"),
    path("maintenance/week/", views_week.week, name="week"),
    path("maintenance/week/undo/", views_week.undo, name="undo"),
    path("maintenance/reschedule/<int:pk>/", views_week.reschedule, name="reschedule"),
    path("maintenance/calendar-feeds/", views_feeds.feed_list, name="feeds"),
    path(
        "maintenance/calendar-feeds/<int:pk>/revoke/", views_feeds.feed_revoke, name="feed-revoke"
    ),
    path("calendar/<str:token>.ics", views_feeds.feed, name="feed"),
]
