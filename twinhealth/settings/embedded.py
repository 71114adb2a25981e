"""One terminal, no service installed: SQLite and a file-system queue unless told otherwise."""

from __future__ import annotations

import contextlib
import os
import secrets

from .base import *
from .base import (
    DATA_DIR,
    FILE_UPLOAD_TEMP_DIR,
    database_at,
    env,
    filesystem_broker,
    sqlite_database,
)

EMBEDDED = True
DEBUG = False
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
SITE_URL = env.str("SITE_URL", default=f"http://127.0.0.1:{env.int('PORT', default=8000)}")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])


def _kept_secret() -> str:
    """One random key per data folder: sessions outlive a restart, and no default key exists."""
    path = DATA_DIR / "secret.key"
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(64))
        # a link either appears whole or not at all: web and workers start at the same time
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(fresh)
        fresh.unlink()
    return path.read_text()


SECRET_KEY = env.str("SECRET_KEY", default="") or _kept_secret()

if env.str("DATABASE_URL", default=""):
    DATABASES = {"default": database_at("DATABASE_URL")}
else:
    DATABASES = {"default": sqlite_database(DATA_DIR / "twinhealth.sqlite3")}

if env.str("REDIS_URL", default=""):
    CELERY_BROKER_URL = env.str("REDIS_URL")
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": env.str("REDIS_URL"),
        }
    }
else:
    CELERY_BROKER_URL = "filesystem://localhost//"
    CELERY_BROKER_TRANSPORT_OPTIONS = filesystem_broker(DATA_DIR / "queue")
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": str(DATA_DIR / "django-cache"),
            # beyond this many, entries are thrown out at random: sign-in counters among them
            "OPTIONS": {"MAX_ENTRIES": 20_000},
        }
    }

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "twinhealth.web.storage.HashedStorage"},
}

# commands must run on a data folder that nothing has touched yet
FILE_UPLOAD_TEMP_DIR.mkdir(parents=True, exist_ok=True)
