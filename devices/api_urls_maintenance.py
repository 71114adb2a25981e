"""REST addresses of maintenance, under /api/v1/."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from .api_downtimes import DowntimeViewSet
from .api_maintenance import PlanViewSet
from .api_model_plans import BlackoutViewSet, ModelPlanViewSet
from .api_orders import OrderViewSet
from .api_skills import PersonSkillViewSet

router = SimpleRouter()
router.register("maintenance-plans", PlanViewSet, basename="api-plan")
router.register("work-orders", OrderViewSet, basename="api-order")
router.register("downtimes", DowntimeViewSet, basename="api-downtime")
router.register("model-plans", ModelPlanViewSet, basename="api-model-plan")
router.register("blackouts", BlackoutViewSet, basename="api-blackout")
router.register("person-skills", PersonSkillViewSet, basename="api-person-skill")

urlpatterns = router.urls
