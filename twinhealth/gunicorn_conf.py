"""How gunicorn serves, the same under `make run` and in production. Only the address is outside.

Imported by gunicorn's master before the application: what is set here is seen by all its workers.
"""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from typing import Any

from twinhealth.logs import logging_config

# Threads, not processes: pages wait for the database, and each process costs memory of its own.
worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS") or 2)
threads = int(os.environ.get("WEB_THREADS") or 4)
preload_app = True  # imported once: half the start, shared memory, and a defect ends it at once
timeout = 60
graceful_timeout = 15
keepalive = 5
max_requests = 20_000  # a slow leak ends before anybody sees it
max_requests_jitter = 2_000
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - heartbeat
control_socket_disable = True
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS") or "127.0.0.1"
accesslog = None  # django-structlog writes one line per request, with its id
logconfig_dict = logging_config(os.environ.get("LOG_LEVEL") or "INFO")

# Counters of all web processes are added up through files; they end with the master.
_counters = tempfile.mkdtemp(prefix="twinhealth-metrics-")
os.environ["PROMETHEUS_MULTIPROC_DIR"] = _counters


def when_ready(server: Any) -> None:
    """Keep what is imported out of every collection: a full one over it takes a tenth of a second.

    It also keeps its pages shared with the master (CPython's documentation of `gc.freeze`).
    """
    gc.collect()
    gc.freeze()


def child_exit(server: Any, worker: Any) -> None:
    """Forget the gauges of a web process that has ended."""
    # late: prometheus_client looks for the folder when it is imported
    from prometheus_client import multiprocess  # noqa: PLC0415

    multiprocess.mark_process_dead(worker.pid)


def on_exit(server: Any) -> None:
    """Leave nothing behind."""
    shutil.rmtree(_counters, ignore_errors=True)
