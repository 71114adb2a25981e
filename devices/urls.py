"""Pages of `devices`; those of maintenance stand in `urls_maintenance`."""

from __future__ import annotations

from django.urls import path

from . import views, views_alerts, views_checks, views_keys, views_rules
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
    path("makes/<int:model_id>/rules/replay/", views_rules.rule_replay, name="rule-replay"),
    *maintenance_patterns,
]
