"""Since when a signed film waits for a second look, stored; and signatures by time."""

from django.conf import settings
from django.db import migrations, models

from detection.second_look import wants_look

BATCH = 2000


def fill(apps, schema_editor):
    """What signing stores from now on, for films that are signed already."""
    item = apps.get_model("detection", "WorklistItem")
    signed = item.objects.filter(signed=True, run_state="done").order_by("pk")
    rows = signed.values_list(
        "pk", "flagged", "image__signature__conclusion", "image__signature__at", "image__sha256"
    )
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        last = batch[-1][0]
        waiting = [
            item(pk=pk, look_since=at)
            for pk, flagged, conclusion, at, sha256 in batch
            if wants_look(
                read=True,
                flagged=flagged,
                conclusion=conclusion or "",
                sha256=sha256,
                share=settings.SECOND_LOOK_SHARE,
            )
        ]
        item.objects.bulk_update(waiting, ["look_since"], batch_size=500)


class Migration(migrations.Migration):
    dependencies = [("detection", "0008_reading_policy")]

    operations = [
        migrations.AddField(
            model_name="worklistitem",
            name="look_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="worklistitem",
            index=models.Index(
                condition=models.Q(("look_since__isnull", False)),
                fields=["look_since"],
                name="worklist_second_look",
            ),
        ),
        migrations.AddIndex(
            model_name="signature",
            index=models.Index(fields=["at"], name="signature_at"),
        ),
    ]
