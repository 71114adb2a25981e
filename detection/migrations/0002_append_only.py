"""What the model found, what people said of it and what was exported is only ever added."""

from django.db import migrations

from twinhealth.db import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("detection", "0001_initial")]

    operations = [
        AppendOnly("detection_finding"),
        AppendOnly("detection_signature"),
        AppendOnly("detection_review", mutable=("withdrawn_at",)),
        AppendOnly("detection_datasetkey"),
        AppendOnly("detection_datasetsplit"),
        AppendOnly("detection_datasetversion"),
        AppendOnly("detection_datasetitem"),
    ]
