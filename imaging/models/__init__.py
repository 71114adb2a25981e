"""Studies, images, and every file that came to the door."""

from .dose_report import DoseReport
from .image import Image, Urgency
from .intake import Intake, Outcome, QuarantinedFile
from .study import Series, Study

__all__ = [
    "DoseReport",
    "Image",
    "Intake",
    "Outcome",
    "QuarantinedFile",
    "Series",
    "Study",
    "Urgency",
]
