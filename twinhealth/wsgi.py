"""The web process; it never imports torch."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinhealth.settings.embedded")
application = get_wsgi_application()
