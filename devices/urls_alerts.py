"""Pages of who is told of alerts, of the figures about them, and of what machines share."""

from __future__ import annotations

from django.urls import path

from . import views_alert_policy, views_alerts, views_figures, views_notifications, views_relations

urlpatterns: list = [
    path("alerts/acknowledge/", views_alerts.alerts_acknowledge, name="alerts-acknowledge"),
    path("alerts/policy/", views_alert_policy.alert_policy, name="alert-policy"),
    path("alerts/figures/", views_figures.figures, name="alert-figures"),
    path("alerts/figures/export/", views_figures.figures_export, name="alert-figures-export"),
    path("alerts/deliveries/", views_notifications.deliveries, name="deliveries"),
    path("alerts/deliveries/<int:pk>/", views_notifications.delivery, name="delivery"),
    path(
        "alerts/deliveries/<int:pk>/send-again/",
        views_notifications.delivery_again,
        name="delivery-again",
    ),
    path("notifications/", views_notifications.notifications, name="notifications"),
    path("notifications/read/", views_notifications.notifications_read, name="notifications-read"),
    path("notifications/settings/", views_notifications.subscription, name="subscription"),
    path("webhooks/", views_notifications.webhooks, name="webhooks"),
    path("webhooks/<int:pk>/", views_notifications.webhook, name="webhook"),
    path("webhooks/<int:pk>/test/", views_notifications.webhook_test, name="webhook-test"),
    path("webhooks/<int:pk>/rotate/", views_notifications.webhook_rotate, name="webhook-rotate"),
    path("supplies/", views_relations.supplies, name="supplies"),
    path("supplies/new/", views_relations.supply_new, name="supply-new"),
    path("supplies/<int:pk>/", views_relations.supply, name="supply"),
    path("supplies/<int:pk>/delete/", views_relations.supply_delete, name="supply-delete"),
    path("devices/<int:pk>/relations/", views_relations.device_relations, name="device-relations"),
]
