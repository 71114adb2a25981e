"""What the model found and what people said of it is only ever added."""

from django.db import migrations

from twinhealth.db import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("detection", "0001_initial")]

    operations = [
        AppendOnly("detection_finding"),
        AppendOnly("detection_promotion"),
        AppendOnly("detection_signature"),
        AppendOnly("detection_review", mutable=("withdrawn_at",)),
    ]
