"""Pages of `devices`; those of maintenance stand in `urls_maintenance`."""

from __future__ import annotations

from django.urls import path

from . import (
    views,
    views_alerts,
    views_components,
    views_details,
    views_imports,
    views_keys,
    views_models,
    views_risk,
)
from .urls_maintenance import urlpatterns as maintenance_patterns

app_name = "devices"
urlpatterns: list = [
    path("devices/", views.fleet, name="fleet"),
    path("devices/new/", views.device_new, name="device-new"),
    path("devices/<int:pk>/", views.device, name="device"),
    path("devices/<int:pk>/config/", views.device_config, name="device-config"),
    path("devices/<int:pk>/lifecycle/", views.device_lifecycle, name="device-lifecycle"),
    path("devices/<int:pk>/acknowledge/", views.device_acknowledge, name="device-acknowledge"),
    path("devices/<int:pk>/keys/new/", views_keys.key_new, name="key-new"),
    path("devices/<int:pk>/keys/<int:key_id>/rotate/", views_keys.key_rotate, name="key-rotate"),
    path("devices/<int:pk>/keys/<int:key_id>/revoke/", views_keys.key_revoke, name="key-revoke"),
    path("devices/<int:pk>/details/", views_details.device_details, name="device-details"),
    path("devices/<int:pk>/risk/", views_risk.device_risk, name="device-risk"),
    path("devices/<int:pk>/components/new/", views_components.component_new, name="component-new"),
    path(
        "devices/<int:pk>/components/<int:component_id>/replace/",
        views_components.component_replace,
        name="component-replace",
    ),
    path(
        "devices/<int:pk>/components/<int:component_id>/remove/",
        views_components.component_remove,
        name="component-remove",
    ),
    path(
        "devices/<int:pk>/components/<int:component_id>/correct/",
        views_components.component_correct,
        name="component-correct",
    ),
    path("device-models/", views_models.models, name="models"),
    path("device-models/<int:pk>/", views_models.model, name="model"),
    path("device-models/<int:pk>/metrics/new/", views_models.metric_form, name="metric-new"),
    path(
        "device-models/<int:pk>/metrics/<int:metric_id>/", views_models.metric_form, name="metric"
    ),
    path("reading-imports/", views_imports.imports, name="imports"),
    path("reading-imports/<int:pk>/", views_imports.import_page, name="import"),
    path("reading-imports/<int:pk>/store/", views_imports.import_store, name="import-store"),
    path("reading-imports/<int:pk>/discard/", views_imports.import_discard, name="import-discard"),
    path(
        "reading-imports/<int:pk>/refused.csv", views_imports.import_refused, name="import-refused"
    ),
    path("alerts/", views_alerts.alerts, name="alerts"),
    path("alerts/<int:pk>/", views_alerts.alert, name="alert"),
    path("alerts/<int:pk>/<slug:step>/", views_alerts.alert_step, name="alert-step"),
    path("device-inbox/", views_alerts.inbox, name="inbox"),
    path("device-inbox/<int:pk>/register/", views_alerts.inbox_register, name="inbox-register"),
    path("device-inbox/<int:pk>/alias/", views_alerts.inbox_alias, name="inbox-alias"),
    path("device-inbox/<int:pk>/dismiss/", views_alerts.inbox_dismiss, name="inbox-dismiss"),
    *maintenance_patterns,
]
