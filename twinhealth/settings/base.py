"""What every mode shares. Nothing here is a secret or a default that would be unsafe."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from kombu import Queue

from twinhealth.environment import Env
from twinhealth.logs import configure_structlog, logging_config

from .beat import beat_schedule

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent.parent

# Where files, the embedded database and the embedded queue live: another folder, another hospital.
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(DATA_DIR / "media")))
# Small scratch copies (decoded pixels, thumbnails): safe to delete at any time.
PIXEL_CACHE_ROOT = Path(env.str("PIXEL_CACHE_ROOT", default=str(DATA_DIR / "cache")))
# Exported sets as zips, which web and worker both see; one may be removed when nobody needs it.
DATASET_ROOT = Path(env.str("DATASET_ROOT", default=str(DATA_DIR / "datasets")))

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "rest_framework.authtoken",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "django_structlog",
    "csp",
    "twinhealth.web.apps.WebConfig",
    "accounts",
    "devices",
    "patients",
    "imaging",
    "detection",
    "reading",
    "maintenance",
    "quality",
    "inventory",
    "planning",
    "notices",
    "demo",
]

MIDDLEWARE = [
    "twinhealth.web.health.HealthMiddleware",
    "twinhealth.web.metrics.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "twinhealth.web.middleware.StorableAddressMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "twinhealth.web.middleware.DomainErrorMiddleware",
    "accounts.middleware.PasswordChangeMiddleware",
]

ROOT_URLCONF = "twinhealth.urls"
WSGI_APPLICATION = "twinhealth.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.house",
            ],
        },
    },
]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "accounts:login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
SESSION_COOKIE_AGE = 12 * 3600  # one long shift
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# Wrong passwords are counted per account and address, and per address, in windows of this length;
# a ward behind one address shares the second limit.
SIGN_IN_WINDOW_SECONDS = env.int("SIGN_IN_WINDOW_SECONDS", default=300)
SIGN_IN_TRIES_PER_ACCOUNT = env.int("SIGN_IN_TRIES_PER_ACCOUNT", default=8)
SIGN_IN_TRIES_PER_ADDRESS = env.int("SIGN_IN_TRIES_PER_ADDRESS", default=80)
# How many proxies of the hospital stand in front: only their part of X-Forwarded-For is believed.
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
CSRF_FAILURE_VIEW = "twinhealth.web.views.csrf_failure"

HOSPITAL_NAME = env.str("HOSPITAL_NAME", default="TwinHealth Hospital")
LANGUAGE_CODE = "en-gb"
USE_I18N = True
USE_TZ = True  # stored in UTC; TIME_ZONE is the hospital's zone, in which pages show time
TIME_ZONE = env.str("TIME_ZONE", default="UTC")

STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(DATA_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]

# --- doors: caps are checked before anything is decoded
MAX_UPLOAD_BYTES = env.int("MAX_UPLOAD_BYTES", default=256 * 1024**2)
# a file of readings
MAX_IMPORT_BYTES = env.int("MAX_IMPORT_BYTES", default=100 * 1024**2)
# photos and documents of work orders
MAX_ORDER_FILE_BYTES = env.int("MAX_ORDER_FILE_BYTES", default=10 * 1024 * 1024)
# of a detector that an admin sends; the shipped ones have 34 MB
MAX_WEIGHTS_BYTES = env.int("MAX_WEIGHTS_BYTES", default=100 * 1024**2)
MAX_IMAGE_PIXELS = env.int("MAX_IMAGE_PIXELS", default=8192 * 8192)
MAX_IMAGE_SIDE = env.int("MAX_IMAGE_SIDE", default=16_384)
MAX_IMAGE_FRAMES = env.int("MAX_IMAGE_FRAMES", default=64)
MAX_ZIP_FILES = env.int("MAX_ZIP_FILES", default=2_000)
DECODE_MEMORY_BYTES = env.int("DECODE_MEMORY_BYTES", default=2 * 1024**3)
DECODE_SECONDS = env.int("DECODE_SECONDS", default=20)
# decoding processes per web or worker process, each within the limits above
DECODE_PROCESSES = env.int("DECODE_PROCESSES", default=2)
# one request may carry several files or a zip; a zip may unpack to this much
MAX_REQUEST_BYTES = env.int("MAX_REQUEST_BYTES", default=1024**3)
MAX_ZIP_BYTES = env.int("MAX_ZIP_BYTES", default=4 * 1024**3)
PIXEL_CACHE_BYTES = env.int("PIXEL_CACHE_BYTES", default=2 * 1024**3)
# below so much free room /readyz says no and nothing new starts: better early than half a film
MIN_FREE_BYTES = env.int("MIN_FREE_BYTES", default=256 * 1024**2)
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024**2
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024**2
# beside the archive: as large as it, and a container's /tmp is memory
FILE_UPLOAD_TEMP_DIR = DATA_DIR / "tmp"
with suppress(OSError):  # a start check says it in words (twinhealth/checks.py)
    FILE_UPLOAD_TEMP_DIR.mkdir(parents=True, exist_ok=True)

# --- queue: the database row is the truth, a message only a hint (docs/architecture.md)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False  # the lease and beat bring lost work back
# the next message is fetched while one film is read; a lost one is sent again by beat
CELERY_WORKER_PREFETCH_MULTIPLIER = 2
# a worker that reads films loads the detector before it says that it is up
CELERY_WORKER_PROC_ALIVE_TIMEOUT = 120.0
CELERY_TASK_DEFAULT_QUEUE = "default"
# `shadow`: what loads a detector and may wait; a process of its own, so that no clinician does
CELERY_TASK_QUEUES = (Queue("default"), Queue("detect"), Queue("shadow"))
CELERY_TASK_ROUTES = {
    "detection.tasks.execute_run_task": {"queue": "detect"},
    "detection.tasks.read_apart_task": {"queue": "shadow"},
    "detection.tasks.check_upload_task": {"queue": "shadow"},
}
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# a queue that is away must not hold up the person whose row is committed already
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1, "interval_max": 0.2}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = beat_schedule(requeue=env.float("REQUEUE_SECONDS", default=10.0))
RUN_LEASE_SECONDS = env.int("RUN_LEASE_SECONDS", default=120)
# a queued run that nobody started for so long is sent again
RUN_RESEND_SECONDS = env.int("RUN_RESEND_SECONDS", default=30)
RUN_MAX_ATTEMPTS = env.int("RUN_MAX_ATTEMPTS", default=3)
DETECTOR_THREADS = env.int("DETECTOR_THREADS", default=2)
DETECTOR_DEVICE = env.str("DETECTOR_DEVICE", default="cpu")
# auto: the adapter on CPU, mmcv's compiled operators on CUDA; or force `adapter` / `compiled`
DETECTOR_OPS = env.str("DETECTOR_OPS", default="auto")
# the image gate decides before the detector reads; off: every film is read
IMAGE_GATE = env.bool("IMAGE_GATE", default=True)
# of the films that detector and reader call normal, the share that a second reader sees too
SECOND_LOOK_SHARE = env.float("SECOND_LOOK_SHARE", default=0.05)
DETECTOR_WEIGHTS = Path(
    env.str("DETECTOR_WEIGHTS", default=str(BASE_DIR / "detection" / "weights" / "active.pth"))
)

# --- e-mail: that a critical result waits, or an alert; without a server none is sent
EMAIL_HOST = env.str("EMAIL_HOST", default="")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'dummy'}.EmailBackend"
EMAIL_PORT = env.int("EMAIL_PORT", default=587)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=True)
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=10)
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="twinhealth@localhost")

# --- alerts: who is told of what stands in rows; docs/alerts.md
# an alert joins the incident on its supply within so many minutes of that one's newest alert
ALERT_GROUP_MINUTES = env.int("ALERT_GROUP_MINUTES", default=10)
# an act alert that nobody acknowledged for so long is told of once more
ALERT_ESCALATE_MINUTES = env.int("ALERT_ESCALATE_MINUTES", default=30)
# work on an alert is shown to hold by so many good readings after it, within so many hours;
# of a rule that keeps a statistic over days, within so many days
ORDER_EVIDENCE_READINGS = env.int("ORDER_EVIDENCE_READINGS", default=3)
ORDER_EVIDENCE_HOURS = env.int("ORDER_EVIDENCE_HOURS", default=72)
ORDER_EVIDENCE_DAYS = env.int("ORDER_EVIDENCE_DAYS", default=14)
# webhooks go to https and to public addresses, unless told otherwise
WEBHOOK_ALLOW_HTTP = env.bool("WEBHOOK_ALLOW_HTTP", default=False)
WEBHOOK_ALLOWED_NETWORKS = env.list("WEBHOOK_ALLOWED_NETWORKS", default=[])

# --- MQTT: the second door of readings; without an address it stays shut
MQTT_URL = env.str("MQTT_URL", default="")
MQTT_CA_FILE = env.str("MQTT_CA_FILE", default="")
# the broker keeps unacknowledged messages for this name; two listeners need two names
MQTT_CLIENT_ID = env.str("MQTT_CLIENT_ID", default="twinhealth")
# only where the broker lets each machine publish on its own topic alone: then no key is asked for
MQTT_TRUST_TOPIC = env.bool("MQTT_TRUST_TOPIC", default=False)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.api_permissions.DeclaredPermission"],
    "DEFAULT_PAGINATION_CLASS": "twinhealth.web.pagination.PageNumberPagination",
    "DEFAULT_FILTER_BACKENDS": [
        "django_filters.rest_framework.DjangoFilterBackend",
        "rest_framework.filters.OrderingFilter",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PARSER_CLASSES": [
        "twinhealth.web.parsers.BoundedJSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "twinhealth.web.errors.exception_handler",
    "DATETIME_FORMAT": "iso-8601",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "TwinHealth",
    "DESCRIPTION": "Digital twins of imaging machines and patients, and an X-ray reader.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["accounts.api_permissions.SignedIn"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "COMPONENT_SPLIT_REQUEST": True,
    # several rooms have a `state`; without names of their own the schema would number them
    "ENUM_NAME_OVERRIDES": {
        "OrderFileKindEnum": "devices.models.order_file.FileKind.choices",
        "StepKindEnum": ["check", "number", "photo", "text"],
        "ComponentKindEnum": "devices.models.component.ComponentKind.choices",
        "ReadingImportStateEnum": "devices.models.reading_import.ImportState.choices",
        "RuleKindEnum": "devices.models.rule.RuleKind.choices",
        "HealthStateEnum": ["ok", "watch", "act", "unknown"],
        "AlertStateEnum": "devices.models.alert.AlertState.choices",
        "ResolveReasonEnum": "devices.models.alert.ResolveReason.choices",
        "InboxStateEnum": "devices.models.inbox.InboxState.choices",
        "WithheldEnum": "devices.models.alert.Withheld.choices",
        "SendStateEnum": "devices.models.notification.SendState.choices",
        "QAVerdictEnum": "quality.models.Verdict.choices",
        "QASessionStateEnum": "quality.models.SessionState.choices",
        "OrderStateEnum": "devices.models.maintenance.OrderState.choices",
        "CalendarFeedScopeEnum": "maintenance.models.FeedScope.choices",
        "NoticeScopeEnum": "notices.models.Scope.choices",
        "ReReadStateEnum": "detection.models.reread.ReReadState.choices",
        "DeviceTrustEnum": "detection.models.run.Trust.choices",
        "RunStateEnum": "detection.models.run.RunState.choices",
        "DatasetExportStateEnum": "detection.models.dataset.ExportState.choices",
        "DetectorVersionStateEnum": "detection.models.version.VersionState.choices",
        "WeightsUploadStateEnum": "detection.models.upload.UploadState.choices",
        "MovementKindEnum": "inventory.models.part.MovementKind.choices",
        "ContractKindEnum": "inventory.models.contract.ContractKind.choices",
        "SeverityEnum": "devices.models.device_model.Severity.choices",
        "RecallSeverityEnum": "inventory.models.recall.Severity.choices",
        "CandidateStateEnum": "inventory.models.recall.CandidateState.choices",
        "InventoryImportKindEnum": "inventory.models.import_job.ImportKind.choices",
        "InventoryImportStateEnum": "inventory.models.import_job.ImportState.choices",
        "AuditFileStateEnum": "inventory.models.audit_file.AuditFileState.choices",
    },
}

# No inline script, no inline style, nothing from elsewhere.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"

# --- logs: one JSON line each, with request_id and task_id bound by django-structlog
LOGGING = logging_config(env.str("LOG_LEVEL", default="INFO"))
configure_structlog()
DJANGO_STRUCTLOG_CELERY_ENABLED = True


def sqlite_database(path: Path) -> dict[str, object]:
    """SQLite in the embedded mode: WAL, IMMEDIATE, and a commit that survives power loss."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {
            "timeout": 30,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
            "PRAGMA foreign_keys=ON;",
        },
        "TEST": {"NAME": str(path.with_name("test.sqlite3"))},
    }


def database_at(variable: str) -> dict[str, Any]:
    """The database that a variable names (`postgres://…`).

    PostgreSQL's JIT compiler is off unless the address says otherwise: it takes the planner's
    guess of a page's query for a large one and compiles for a second what runs for a millisecond.
    """
    found: dict[str, Any] = env.db(variable)
    if found["ENGINE"] == "django.db.backends.postgresql":
        found["OPTIONS"] = {"options": "-c jit=off", **found.get("OPTIONS", {})}
    return found


def filesystem_broker(folder: Path) -> dict[str, object]:
    """A queue in files (twinhealth/filequeue.py), without a server, for the embedded mode."""
    for name in ("messages", "control"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return {
        "data_folder_in": str(folder / "messages"),
        "data_folder_out": str(folder / "messages"),
        "control_folder": str(folder / "control"),
        "polling_interval": 0.01,  # seconds; docs/benchmarks.md has what longer ones cost
    }
