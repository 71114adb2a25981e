# TwinHealth, one image for web, workers, beat and migrations. Nothing runs as root.
#
#   docker build --build-arg TORCH_INDEX_URL=https://… -t twinhealth .
#
# TORCH_INDEX_URL: an index with PyTorch's CPU build, much smaller than the default one.

ARG PYTHON_VERSION=3.11

FROM python:${PYTHON_VERSION}-slim-bookworm AS packages
ARG TORCH_INDEX_URL=""
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_NO_INPUT=1
WORKDIR /build
COPY requirements.txt ./
# wheels only: a compiler is needed in no stage (docs/decisions/0006 for the order)
RUN set -eu; \
    python -m venv /opt/venv; \
    torch="$(grep '^torch==' requirements.txt)"; \
    vision="$(grep '^torchvision==' requirements.txt)"; \
    if [ -n "$TORCH_INDEX_URL" ]; then \
        /opt/venv/bin/pip install --index-url "$TORCH_INDEX_URL" "$torch" "$vision"; \
    else \
        /opt/venv/bin/pip install -c requirements.txt "$torch"; \
    fi; \
    /opt/venv/bin/pip install --no-deps -r requirements.txt; \
    /opt/venv/bin/python -m compileall -q /opt/venv/lib || true

FROM python:${PYTHON_VERSION}-slim-bookworm
RUN groupadd --system --gid 10001 twinhealth \
    && useradd --system --uid 10001 --gid 10001 --home-dir /data --shell /usr/sbin/nologin twinhealth \
    && install -d -o 10001 -g 10001 -m 0750 /data
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY . ./
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DATA_DIR=/data \
    STATIC_ROOT=/app/staticfiles
# pages' files are part of the image; the embedded settings need no secret to collect them
RUN DJANGO_SETTINGS_MODULE=twinhealth.settings.embedded DATA_DIR=/tmp/build \
    python manage.py collectstatic --noinput --verbosity 0 \
    && rm -rf /tmp/build \
    && python -m compileall -q /app
ENV DJANGO_SETTINGS_MODULE=twinhealth.settings.production
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["gunicorn", "--config", "python:twinhealth.gunicorn_conf", "--bind", "0.0.0.0:8000", "twinhealth.wsgi"]
