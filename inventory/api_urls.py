"""REST addresses of `inventory`, below `/api/v1/`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from .api_contracts import ContractViewSet, WarrantyViewSet
from .api_files import AuditFileViewSet, InventoryImportViewSet, Mds2View
from .api_needs import ModelPlanPartsView, PlanPartsView
from .api_parts import PartViewSet, VendorViewSet
from .api_recalls import RecallCandidateViewSet, RecallViewSet

router = SimpleRouter()
router.register("vendors", VendorViewSet, basename="api-vendor")
router.register("parts", PartViewSet, basename="api-part")
router.register("contracts", ContractViewSet, basename="api-contract")
router.register("warranties", WarrantyViewSet, basename="api-warranty")
router.register("recalls", RecallViewSet, basename="api-recall")
router.register("recall-candidates", RecallCandidateViewSet, basename="api-recall-candidate")
router.register("audit-files", AuditFileViewSet, basename="api-audit-file")
router.register("inventory-imports", InventoryImportViewSet, basename="api-inventory-import")

urlpatterns: list[URLPattern | URLResolver] = [
    *router.urls,
    path("maintenance-plans/<int:pk>/parts/", PlanPartsView.as_view(), name="api-plan-parts"),
    path("model-plans/<int:pk>/parts/", ModelPlanPartsView.as_view(), name="api-model-plan-parts"),
    path("device-models/<int:pk>/mds2/", Mds2View.as_view(), name="api-mds2"),
]
