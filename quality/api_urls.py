"""REST addresses of `quality`, below `/api/v1/`."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from .api import InstrumentViewSet, MachineQAView, ProtocolViewSet, SessionViewSet

router = SimpleRouter()
router.register("qa-protocols", ProtocolViewSet, basename="api-qa-protocol")
router.register("qa-sessions", SessionViewSet, basename="api-qa-session")
router.register("qa-instruments", InstrumentViewSet, basename="api-qa-instrument")

urlpatterns = [
    path(
        "qa-sessions/<int:pk>/certificate.pdf",
        SessionViewSet.as_view({"get": "certificate"}),
        name="api-qa-certificate",
    ),
    path("devices/<int:pk>/qa/", MachineQAView.as_view(), name="api-device-qa"),
    *router.urls,
]
