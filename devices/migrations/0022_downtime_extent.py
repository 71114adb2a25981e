"""A downtime is full or partial; all that were recorded so far meant full."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("devices", "0021_plans_and_costs")]

    operations = [
        migrations.AddField(
            model_name="downtime",
            name="extent",
            field=models.CharField(
                choices=[("full", "full"), ("partial", "partial")], default="full", max_length=8
            ),
        ),
    ]
