"""What of this room waits for somebody, on the left rail."""

from __future__ import annotations

from imaging.models import QuarantinedFile
from imaging.models.intake import QuarantineState
from twinhealth.web import badges


def connect() -> None:
    """Have it counted; called once, when the room is ready."""
    badges.register(
        "imaging:quarantine",
        lambda _: QuarantinedFile.objects.filter(state=QuarantineState.OPEN),
        one="file in quarantine",
        many="files in quarantine",
    )
