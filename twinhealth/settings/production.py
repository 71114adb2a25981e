"""Production fails closed: a missing secret, database, queue or host list stops the start."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

from .base import *
from .base import database_at, env

EMBEDDED = False
DEBUG = False


def _required(name: str, why: str) -> str:
    value = str(env.str(name, default="")).strip()
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: {why}")
    return value


SECRET_KEY = _required("SECRET_KEY", "it signs sessions; 64 random characters.")
if len(SECRET_KEY) < 32:
    raise ImproperlyConfigured("SECRET_KEY must have at least 32 characters.")
# old keys, until the sessions they signed have ended: SECRET_KEY can be changed without a break
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
_required("ALLOWED_HOSTS", "the host names under which browsers reach this server, by commas.")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
# what a link in an e-mail begins with
SITE_URL = env.str("SITE_URL", default=f"https://{ALLOWED_HOSTS[0].lstrip('.')}").rstrip("/")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

if not _required("DATABASE_URL", "postgres://user:password@host/name").startswith("postgres"):
    raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database.")
_database = database_at("DATABASE_URL")
DATABASES = {
    "default": {
        **_database,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, **_database.get("OPTIONS", {})},
    }
}

CELERY_BROKER_URL = _required("REDIS_URL", "redis://:password@host:6379/0")
if not CELERY_BROKER_URL.startswith(("redis://", "rediss://", "unix://")):
    raise ImproperlyConfigured("REDIS_URL must be redis:// or rediss://.")
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "socket_connect_timeout": 3}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CELERY_BROKER_URL,
    }
}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "twinhealth.web.storage.HashedStorage"},
}
# TLS ends at the hospital's proxy unless told otherwise; plain http is refused there.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
