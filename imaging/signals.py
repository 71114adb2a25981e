"""The one signal that goes up the house."""

from __future__ import annotations

import django.dispatch

# sent inside the transaction that made the row, with `image` (imaging.models.Image) and
# `dataset` (pydicom.Dataset without pixel data) and `pixels` (imaging.pixels.PixelSummary | None)
image_stored = django.dispatch.Signal()
