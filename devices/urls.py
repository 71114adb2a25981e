"""Pages of `devices`; those of maintenance stand in `urls_maintenance`."""

from __future__ import annotations

from django.urls import path

from . import (
    views,
    views_alerts,
    views_checks,
    views_compare,
    views_components,
    views_degraded,
    views_details,
    views_fleet,
    views_imports,
    views_keys,
    views_models,
    views_risk,
    views_rules,
    views_storage,
)
from .urls_alerts import urlpatterns as alert_patterns
from .urls_maintenance import urlpatterns as maintenance_patterns

app_name = "devices"
urlpatterns: list = [
    path("devices/", views_fleet.fleet, name="fleet"),
    path("devices/export.csv", views_fleet.fleet_csv, name="fleet-csv"),
    path("devices/compare/", views_compare.compare, name="compare"),
    path("devices/wall/", views_fleet.wall, name="wall"),
    path("devices/new/", views.device_new, name="device-new"),
    path("devices/<int:pk>/", views.device, name="device"),
    path("devices/<int:pk>/sections/", views.device_sections, name="device-sections"),
    path("devices/<int:pk>/readings.csv", views_fleet.readings_csv, name="readings-csv"),
    path("devices/<int:pk>/config/", views.device_config, name="device-config"),
    path("devices/<int:pk>/lifecycle/", views.device_lifecycle, name="device-lifecycle"),
    path("devices/<int:pk>/acknowledge/", views.device_acknowledge, name="device-acknowledge"),
    path("devices/<int:pk>/degraded/", views_degraded.degraded, name="degraded"),
    path("devices/<int:pk>/degraded/mark/", views_degraded.degraded_mark, name="degraded-mark"),
    path(
        "devices/<int:pk>/degraded/<int:span_id>/end/",
        views_degraded.degraded_end,
        name="degraded-end",
    ),
    path(
        "devices/<int:pk>/degraded/<int:span_id>/withdraw/",
        views_degraded.degraded_withdraw,
        name="degraded-withdraw",
    ),
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
    path("devices/<int:pk>/checks/<int:rule_id>/", views_checks.check, name="check"),
    path("rules/", views_rules.rule_list, name="rules"),
    path("rules/<int:pk>/", views_rules.rule, name="rule"),
    path("rules/<int:pk>/edit/", views_rules.rule_edit, name="rule-edit"),
    path("rules/<int:pk>/switch/", views_rules.rule_switch, name="rule-switch"),
    path("makes/<int:model_id>/rules/new/", views_rules.rule_new, name="rule-new"),
    *alert_patterns,
    path("makes/<int:model_id>/rules/replay/", views_rules.rule_replay, name="rule-replay"),
    path("storage/", views_storage.storage, name="storage"),
    path("storage/settle/", views_storage.storage_settle, name="storage-settle"),
    path("storage/apply/", views_storage.storage_apply, name="storage-apply"),
    *maintenance_patterns,
]
