"""What was signed stays; versions, results and files are only ever added."""

from __future__ import annotations

from django.db import migrations

from twinhealth.db import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("quality", "0001_initial")]
    operations = [
        AppendOnly("quality_protocolversion"),
        AppendOnly("quality_qaresult"),
        AppendOnly("quality_qafile"),
        AppendOnly("quality_qasession", once=("state", "signed")),
    ]
