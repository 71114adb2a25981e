"""Tests: PostgreSQL and Redis where TEST_DATABASE_URL and TEST_REDIS_URL say so, else embedded."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

if not os.environ.get("DATA_DIR"):
    os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="twinhealth-test-")
# pytest-xdist: each worker (and what it starts) has its own folder and its own Redis database
_worker = os.environ.get("PYTEST_XDIST_WORKER", "")
if _worker and os.environ.get("TEST_WORKER") != _worker:
    os.environ["TEST_WORKER"] = _worker
    os.environ["DATA_DIR"] = str(Path(os.environ["DATA_DIR"]) / _worker)
    if os.environ.get("TEST_REDIS_URL"):
        _server, _, _number = os.environ["TEST_REDIS_URL"].rpartition("/")
        os.environ["TEST_REDIS_URL"] = f"{_server}/{int(_number) + int(_worker[2:])}"

from .base import *  # noqa: E402
from .base import (  # noqa: E402
    DATA_DIR,
    database_at,
    env,
    filesystem_broker,
    sqlite_database,
)

EMBEDDED = True
DEBUG = False
SECRET_KEY = "test-only-" + "x" * 40
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
SITE_URL = "https://testserver"

if env.str("TEST_DATABASE_URL", default=""):
    DATABASES = {"default": database_at("TEST_DATABASE_URL")}
else:
    DATABASES = {"default": sqlite_database(DATA_DIR / "twinhealth.sqlite3")}

if env.str("TEST_REDIS_URL", default=""):
    CELERY_BROKER_URL = env.str("TEST_REDIS_URL")
else:
    CELERY_BROKER_URL = "filesystem://"
    CELERY_BROKER_TRANSPORT_OPTIONS = filesystem_broker(DATA_DIR / "queue")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# most tests' films are drawn, small and no chest; those of the gate switch it on
IMAGE_GATE = env.bool("IMAGE_GATE", default=False)
# WhiteNoise warns of a folder that is missing, and in tests a warning is an error
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # tests sign in a lot
