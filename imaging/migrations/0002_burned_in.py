"""Whether a sender says that text is burnt into a picture; unknown for films stored before."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("imaging", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="image",
            name="burned_in",
            field=models.CharField(blank=True, default="", max_length=3),
        ),
    ]
