"""REST addresses of `maintenance`, below `/api/v1/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import api_feeds, api_figures, api_reschedule

urlpatterns: list[URLPattern] = [
    path("maintenance-figures/", api_figures.MaintenanceFiguresView.as_view(), name="api-figures"),
    path("covered-hours/", api_figures.HospitalHoursView.as_view(), name="api-hours"),
    path(
        "devices/<int:pk>/covered-hours/",
        api_figures.MachineHoursView.as_view(),
        name="api-machine-hours",
    ),
    path(
        "work-orders/<int:pk>/reschedule/",
        api_reschedule.RescheduleView.as_view(),
        name="api-reschedule",
    ),
    path("calendar-feeds/", api_feeds.CalendarFeedsView.as_view(), name="api-feeds"),
    path("calendar-feeds/<int:pk>/", api_feeds.CalendarFeedView.as_view(), name="api-feed"),
]
