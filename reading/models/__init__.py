"""What the reading room keeps beside verdicts and signatures."""

from .line import HelpRequest, Skip
from .saved_view import SavedView
from .second_look import SecondLook

__all__ = ["HelpRequest", "SavedView", "SecondLook", "Skip"]
