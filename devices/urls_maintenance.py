"""Pages of maintenance."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import views_downtimes, views_maintenance, views_orders, views_plans

urlpatterns: list[URLPattern] = [
    path("maintenance/", views_maintenance.maintenance, name="maintenance"),
    path("maintenance/plans/new/", views_plans.plan_new, name="plan-new"),
    path("maintenance/plans/preview/", views_plans.plan_preview, name="plan-preview"),
    path("maintenance/plans/<int:pk>/", views_plans.plan, name="plan"),
    path("maintenance/plans/<int:pk>/edit/", views_plans.plan_edit, name="plan-edit"),
    path("maintenance/plans/<int:pk>/pause/", views_plans.plan_deactivate, name="plan-pause"),
    path(
        "maintenance/plans/<int:pk>/reactivate/",
        views_plans.plan_reactivate,
        name="plan-reactivate",
    ),
    path("maintenance/orders/new/", views_orders.order_new, name="order-new"),
    path("maintenance/orders/<int:pk>/", views_orders.order, name="order"),
    path("maintenance/orders/<int:pk>/accept/", views_orders.order_accept, name="order-accept"),
    path(
        "maintenance/orders/<int:pk>/checklist/",
        views_orders.order_checklist,
        name="order-checklist",
    ),
    path("maintenance/orders/<int:pk>/<slug:step>/", views_orders.order_step, name="order-step"),
    path("maintenance/downtimes/new/", views_downtimes.downtime_new, name="downtime-new"),
    path("maintenance/downtimes/<int:pk>/", views_downtimes.downtime_edit, name="downtime"),
    path(
        "maintenance/downtimes/<int:pk>/remove/",
        views_downtimes.downtime_remove,
        name="downtime-remove",
    ),
    path("maintenance/downtimes/<int:pk>/end/", views_downtimes.downtime_end, name="downtime-end"),
]
