"""What goes up from this room: rooms above listen, this one knows nothing of them."""

from __future__ import annotations

import django.dispatch

# sent inside the transaction that marked a machine as degraded, ended or withdrew the mark, with
# `span` (devices.models.DegradedSpan)
degraded_changed = django.dispatch.Signal()
