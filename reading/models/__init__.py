"""What the reading room keeps."""

from .addendum import Addendum

__all__ = ["Addendum"]
