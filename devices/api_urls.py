"""REST addresses of `devices`, under /api/v1/; those of maintenance: `api_urls_maintenance`."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from .api import DeviceViewSet
from .api_alert_policy import AlertPolicyView
from .api_alerts import AlertViewSet, InboxViewSet
from .api_components import (
    DevicePartCorrectView,
    DevicePartRemoveView,
    DevicePartReplaceView,
    DevicePartsView,
)
from .api_degraded import DegradedEndView, DegradedView, DegradedWithdrawView
from .api_device_keys import DeviceKeyRotateView, DeviceKeysView, DeviceKeyView
from .api_imports import ReadingImportViewSet
from .api_models import DeviceModelsView, DeviceModelView, ModelMetricsView, ModelMetricView
from .api_notifications import (
    AlertFiguresView,
    DeliveryViewSet,
    NotificationViewSet,
    SubscriptionView,
    WebhookViewSet,
)
from .api_relations import DeviceRelationsView, SupplyViewSet
from .api_risk import DeviceRiskView
from .api_rules import CheckView, RuleViewSet
from .api_storage import (
    RetentionPlanView,
    RetentionPolicyView,
    RetentionRunsView,
    StorageView,
)
from .api_urls_axis import urlpatterns as axis_patterns
from .api_urls_maintenance import urlpatterns as maintenance_patterns

router = SimpleRouter()
router.register("devices", DeviceViewSet, basename="api-device")
router.register("alerts", AlertViewSet, basename="api-alert")
router.register("rules", RuleViewSet, basename="api-rule")
router.register("device-inbox", InboxViewSet, basename="api-inbox")
router.register("alert-deliveries", DeliveryViewSet, basename="api-delivery")
router.register("notifications", NotificationViewSet, basename="api-notification")
router.register("supplies", SupplyViewSet, basename="api-supply")
router.register("webhooks", WebhookViewSet, basename="api-webhook")
router.register("reading-imports", ReadingImportViewSet, basename="api-reading-import")

urlpatterns: list = [
    path("alerts/figures/", AlertFiguresView.as_view(), name="api-alert-figures"),
    path("alert-subscription/", SubscriptionView.as_view(), name="api-alert-subscription"),
    path("devices/<int:pk>/relations/", DeviceRelationsView.as_view(), name="api-device-relations"),
    path("devices/<int:pk>/keys/", DeviceKeysView.as_view(), name="api-device-keys"),
    path("devices/<int:pk>/keys/<int:key_id>/", DeviceKeyView.as_view(), name="api-device-key"),
    path(
        "devices/<int:pk>/keys/<int:key_id>/rotate/",
        DeviceKeyRotateView.as_view(),
        name="api-device-key-rotate",
    ),
    path("devices/<int:pk>/checks/<int:rule_id>/", CheckView.as_view(), name="api-check"),
    path("alert-policy/", AlertPolicyView.as_view(), name="api-alert-policy"),
    path("storage/", StorageView.as_view(), name="api-storage"),
    path("retention-policy/", RetentionPolicyView.as_view(), name="api-retention-policy"),
    path("retention-plan/", RetentionPlanView.as_view(), name="api-retention-plan"),
    path("retention-runs/", RetentionRunsView.as_view(), name="api-retention-runs"),
    path("devices/<int:pk>/degraded/", DegradedView.as_view(), name="api-degraded"),
    path(
        "devices/<int:pk>/degraded/<int:span_id>/end/",
        DegradedEndView.as_view(),
        name="api-degraded-end",
    ),
    path(
        "devices/<int:pk>/degraded/<int:span_id>/withdraw/",
        DegradedWithdrawView.as_view(),
        name="api-degraded-withdraw",
    ),
    path("devices/<int:pk>/components/", DevicePartsView.as_view(), name="api-device-parts"),
    path(
        "devices/<int:pk>/components/<int:component_id>/replace/",
        DevicePartReplaceView.as_view(),
        name="api-device-part-replace",
    ),
    path(
        "devices/<int:pk>/components/<int:component_id>/remove/",
        DevicePartRemoveView.as_view(),
        name="api-device-part-remove",
    ),
    path(
        "devices/<int:pk>/components/<int:component_id>/correct/",
        DevicePartCorrectView.as_view(),
        name="api-device-part-correct",
    ),
    path("devices/<int:pk>/risk/", DeviceRiskView.as_view(), name="api-device-risk"),
    path("device-models/", DeviceModelsView.as_view(), name="api-device-models"),
    path("device-models/<int:pk>/", DeviceModelView.as_view(), name="api-device-model"),
    path("device-models/<int:pk>/metrics/", ModelMetricsView.as_view(), name="api-model-metrics"),
    path(
        "device-models/<int:pk>/metrics/<int:metric_id>/",
        ModelMetricView.as_view(),
        name="api-model-metric",
    ),
    *axis_patterns,
    *router.urls,
    *maintenance_patterns,
]
