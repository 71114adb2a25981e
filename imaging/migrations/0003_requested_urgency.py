"""How soon a film is wanted, as its header says."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("imaging", "0002_burned_in"),
    ]

    operations = [
        migrations.AddField(
            model_name="image",
            name="requested_urgency",
            field=models.CharField(
                blank=True,
                choices=[
                    ("stat", "STAT"),
                    ("high", "high"),
                    ("routine", "routine"),
                    ("medium", "medium"),
                    ("low", "low"),
                ],
                default="",
                max_length=8,
            ),
        ),
    ]
