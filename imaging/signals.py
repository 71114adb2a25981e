"""The one signal that goes up the house."""

from __future__ import annotations

import django.dispatch

# sent inside the transaction that made the row, with `image` (imaging.models.Image)
image_stored = django.dispatch.Signal()
