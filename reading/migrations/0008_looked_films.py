"""Films that a second reader has looked at leave the queue's index."""

from django.db import migrations


def leave(apps, schema_editor):
    """What a second look does from now on, for those that were taken before."""
    looked = apps.get_model("reading", "SecondLook").objects.values("signature__image_id")
    item = apps.get_model("detection", "WorklistItem")
    item.objects.filter(image_id__in=looked).update(look_since=None)


class Migration(migrations.Migration):
    dependencies = [
        ("detection", "0009_second_looks"),
        ("reading", "0007_critical_email"),
    ]

    operations = [migrations.RunPython(leave, migrations.RunPython.noop)]
