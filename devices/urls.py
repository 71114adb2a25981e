"""Pages of `devices`; those of maintenance stand in `urls_maintenance`."""

from __future__ import annotations

from django.urls import path

from . import views, views_alerts, views_compare, views_fleet, views_keys
from .urls_maintenance import urlpatterns as maintenance_patterns

app_name = "devices"
urlpatterns: list = [
    path("devices/", views_fleet.fleet, name="fleet"),
    path("devices/export.csv", views_fleet.fleet_csv, name="fleet-csv"),
    path("devices/compare/", views_compare.compare, name="compare"),
    path("devices/wall/", views_fleet.wall, name="wall"),
    path("devices/new/", views.device_new, name="device-new"),
    path("devices/<int:pk>/", views.device, name="device"),
    path("devices/<int:pk>/readings.csv", views_fleet.readings_csv, name="readings-csv"),
    path("devices/<int:pk>/config/", views.device_config, name="device-config"),
    path("devices/<int:pk>/lifecycle/", views.device_lifecycle, name="device-lifecycle"),
    path("devices/<int:pk>/acknowledge/", views.device_acknowledge, name="device-acknowledge"),
    path("devices/<int:pk>/keys/new/", views_keys.key_new, name="key-new"),
    path("devices/<int:pk>/keys/<int:key_id>/rotate/", views_keys.key_rotate, name="key-rotate"),
    path("devices/<int:pk>/keys/<int:key_id>/revoke/", views_keys.key_revoke, name="key-revoke"),
    path("alerts/", views_alerts.alerts, name="alerts"),
    path("alerts/<int:pk>/", views_alerts.alert, name="alert"),
    path("alerts/<int:pk>/<slug:step>/", views_alerts.alert_step, name="alert-step"),
    path("device-inbox/", views_alerts.inbox, name="inbox"),
    path("device-inbox/<int:pk>/register/", views_alerts.inbox_register, name="inbox-register"),
    path("device-inbox/<int:pk>/alias/", views_alerts.inbox_alias, name="inbox-alias"),
    path("device-inbox/<int:pk>/dismiss/", views_alerts.inbox_dismiss, name="inbox-dismiss"),
    *maintenance_patterns,
]
