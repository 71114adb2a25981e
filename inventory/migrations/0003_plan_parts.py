"""Parts that a plan's work needs."""

from django.db import migrations, models
from django.db.models import Q


def _plan(to: str) -> models.ForeignKey:
    return models.ForeignKey(
        blank=True,
        null=True,
        on_delete=models.deletion.CASCADE,
        related_name="parts",
        to=to,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0026_offline_and_skills"),
        ("inventory", "0002_append_only"),
    ]

    operations = [
        migrations.CreateModel(
            name="PlanPart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("amount", models.PositiveSmallIntegerField()),
                ("model_plan", _plan("devices.modelplan")),
                (
                    "part",
                    models.ForeignKey(
                        on_delete=models.deletion.PROTECT,
                        related_name="needed_by",
                        to="inventory.part",
                    ),
                ),
                ("plan", _plan("devices.maintenanceplan")),
            ],
            options={
                "ordering": ["pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(plan__isnull=True, model_plan__isnull=False)
                        | Q(plan__isnull=False, model_plan__isnull=True),
                        name="plan_part_of_one_plan",
                        violation_error_message="A need is of a plan or of a model's plan.",
                    ),
                    models.CheckConstraint(
                        condition=Q(amount__gte=1, amount__lte=1_000),
                        name="plan_part_amount",
                        violation_error_message=("How many must be a whole number of at least 1."),
                    ),
                    models.UniqueConstraint(
                        condition=Q(plan__isnull=False),
                        fields=("plan", "part"),
                        name="plan_part_once",
                        violation_error_message="The plan names this part already.",
                    ),
                    models.UniqueConstraint(
                        condition=Q(model_plan__isnull=False),
                        fields=("model_plan", "part"),
                        name="model_plan_part_once",
                        violation_error_message="The model's plan names this part already.",
                    ),
                ],
            },
        ),
    ]
