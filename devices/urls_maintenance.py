"""Pages of maintenance."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import (
    views_downtimes,
    views_maintenance,
    views_model_plans,
    views_order_costs,
    views_order_files,
    views_orders,
    views_plans,
    views_skills,
)

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
    path("maintenance/model-plans/", views_model_plans.model_plans, name="model-plans"),
    path("maintenance/model-plans/new/", views_model_plans.model_plan_new, name="model-plan-new"),
    path("maintenance/model-plans/<int:pk>/", views_model_plans.model_plan, name="model-plan"),
    path(
        "maintenance/model-plans/<int:pk>/edit/",
        views_model_plans.model_plan_edit,
        name="model-plan-edit",
    ),
    path(
        "maintenance/model-plans/<int:pk>/except/",
        views_model_plans.model_plan_except,
        name="model-plan-except",
    ),
    path(
        "maintenance/plan-exceptions/<int:pk>/end/",
        views_model_plans.model_plan_include,
        name="model-plan-include",
    ),
    path(
        "maintenance/plans/<int:pk>/blackouts/",
        views_model_plans.plan_blackouts,
        name="plan-blackouts",
    ),
    path(
        "maintenance/plans/<int:pk>/blackouts/new/",
        views_model_plans.plan_blackout_new,
        name="plan-blackout-new",
    ),
    path("maintenance/blackouts/", views_model_plans.blackouts, name="blackouts"),
    path("maintenance/blackouts/new/", views_model_plans.blackout_new, name="blackout-new"),
    path(
        "maintenance/blackouts/<int:pk>/delete/",
        views_model_plans.blackout_delete,
        name="blackout-delete",
    ),
    path("maintenance/skills/", views_skills.skills, name="skills"),
    path("maintenance/skills/give/", views_skills.skill_give, name="skill-give"),
    path("maintenance/skills/<int:pk>/take/", views_skills.skill_take, name="skill-take"),
    path("maintenance/orders/new/", views_orders.order_new, name="order-new"),
    path("maintenance/orders/<int:pk>/", views_orders.order, name="order"),
    path("maintenance/orders/<int:pk>/accept/", views_orders.order_accept, name="order-accept"),
    path("maintenance/orders/worker.js", views_orders.order_worker, name="order-worker"),
    path(
        "maintenance/orders/<int:pk>/labour/", views_order_costs.order_labour, name="order-labour"
    ),
    path("maintenance/orders/<int:pk>/costs/", views_order_costs.order_cost, name="order-cost"),
    path("maintenance/orders/<int:pk>/files/", views_order_files.order_attach, name="order-attach"),
    path(
        "maintenance/orders/<int:pk>/files/<int:file>/",
        views_order_files.order_file,
        name="order-file",
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
