"""Why a finding was rejected, as a code; verdicts from before have none."""

from __future__ import annotations

from django.db import migrations, models

from twinhealth.db import AppendOnly, NoLongerAppendOnly


class Migration(migrations.Migration):
    dependencies = [("detection", "0006_requested_urgency")]

    operations = [
        NoLongerAppendOnly("detection_review", mutable=("withdrawn_at",)),
        migrations.AddField(
            model_name="review",
            name="reason_code",
            field=models.CharField(
                blank=True,
                choices=[
                    ("not_a_finding", "nothing there, normal structures"),
                    ("wrong_class", "something there, other class"),
                    ("wrong_place", "wrong place or size"),
                    ("artefact", "artefact, device or line"),
                    ("duplicate", "marked twice"),
                    ("other", "other"),
                ],
                default="",
                max_length=16,
            ),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason_code", ""), ("verdict", "reject"), _connector="OR"),
                name="review_reason_code_is_of_a_reject",
                violation_error_message="Only a reject has a code for its reason.",
            ),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("reason_code", "other"), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="review_other_reason_has_words",
                violation_error_message="Another reason is given in words.",
            ),
        ),
        AppendOnly("detection_review", mutable=("withdrawn_at",)),
    ]
