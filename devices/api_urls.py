"""REST addresses of `devices`, under /api/v1/; those of maintenance: `api_urls_maintenance`."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from .api import DeviceViewSet
from .api_alerts import AlertViewSet, InboxViewSet
from .api_device_keys import DeviceKeyRotateView, DeviceKeysView, DeviceKeyView
from .api_urls_axis import urlpatterns as axis_patterns
from .api_urls_maintenance import urlpatterns as maintenance_patterns

router = SimpleRouter()
router.register("devices", DeviceViewSet, basename="api-device")
router.register("alerts", AlertViewSet, basename="api-alert")
router.register("device-inbox", InboxViewSet, basename="api-inbox")

urlpatterns: list = [
    path("devices/<int:pk>/keys/", DeviceKeysView.as_view(), name="api-device-keys"),
    path("devices/<int:pk>/keys/<int:key_id>/", DeviceKeyView.as_view(), name="api-device-key"),
    path(
        "devices/<int:pk>/keys/<int:key_id>/rotate/",
        DeviceKeyRotateView.as_view(),
        name="api-device-key-rotate",
    ),
    *axis_patterns,
    *router.urls,
    *maintenance_patterns,
]
