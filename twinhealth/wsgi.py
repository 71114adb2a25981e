"""The web process; it never imports torch."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinhealth.settings.embedded")
application = get_wsgi_application()

from twinhealth import checks  # noqa: E402 - needs the settings

checks.refuse_on_errors(checks.START)
