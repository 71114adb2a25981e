"""The patient twin's rows."""

from .observation import Observation
from .patient import Patient

__all__ = ["Observation", "Patient"]
