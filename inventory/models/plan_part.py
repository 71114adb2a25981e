"""Parts that a plan's work needs."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

MOST = 1_000  # of one part


class PlanPart(models.Model):
    """So many of a part for each order of a plan, or of all plans made from a model's plan."""

    part = models.ForeignKey("inventory.Part", models.PROTECT, related_name="needed_by")
    plan = models.ForeignKey(
        "devices.MaintenancePlan", models.CASCADE, null=True, blank=True, related_name="parts"
    )
    model_plan = models.ForeignKey(
        "devices.ModelPlan", models.CASCADE, null=True, blank=True, related_name="parts"
    )
    amount = models.PositiveSmallIntegerField()  # in the part's unit

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(plan__isnull=True, model_plan__isnull=False)
                | Q(plan__isnull=False, model_plan__isnull=True),
                name="plan_part_of_one_plan",
                violation_error_message="A need is of a plan or of a model's plan.",
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=1, amount__lte=MOST),
                name="plan_part_amount",
                violation_error_message="How many must be a whole number of at least 1.",
            ),
            models.UniqueConstraint(
                fields=["plan", "part"],
                condition=Q(plan__isnull=False),
                name="plan_part_once",
                violation_error_message="The plan names this part already.",
            ),
            models.UniqueConstraint(
                fields=["model_plan", "part"],
                condition=Q(model_plan__isnull=False),
                name="model_plan_part_once",
                violation_error_message="The model's plan names this part already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} x {self.part}"
