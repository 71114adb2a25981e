"""The web process; it never imports torch."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinhealth.settings.embedded")
application = get_wsgi_application()

from django.urls import get_resolver  # noqa: E402 - these need the settings

from twinhealth import checks  # noqa: E402

try:
    checks.refuse_on_errors(checks.START)
except checks.StartRefusedError as refusal:
    # gunicorn starts a web process that exits again and again; an exception ends it all
    raise RuntimeError("; ".join(refusal.reasons)) from None
# all addresses are loaded now: the first person doesn't wait for it, and a defect stops the start
get_resolver().url_patterns  # noqa: B018
