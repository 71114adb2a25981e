"""Pages of exported sets: which there are, what is in them, having one written, its zip."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import requires
from accounts.permissions import Can
from detection import selectors_dataset
from detection.api_datasets import zip_response
from detection.dataset_json import CATEGORIES
from detection.forms import DatasetExportForm, cleaned
from detection.models import DatasetVersion, ExportState
from detection.page_request import PageRequest
from detection.services import dataset_exports
from detection.truth import LEFT_OUT

PAGE_SIZE = 25
EXPORTS_SHOWN = 5


@require_GET
@requires(Can.DATASET_EXPORT)
def datasets(request: PageRequest) -> HttpResponse:
    """All versions, and the form that has another one written."""
    context = _body(request) | {"form": DatasetExportForm()}
    return render(request, "detection/datasets.html", context)


@require_GET
@requires(Can.DATASET_EXPORT)
def datasets_body(request: PageRequest) -> HttpResponse:
    """Exports and versions; asks again by itself while one is being written."""
    return render(request, "detection/parts/datasets_body.html", _body(request))


@require_POST
@requires(Can.DATASET_EXPORT)
def export(request: PageRequest) -> HttpResponse:
    """Have a worker write one."""
    data = cleaned(DatasetExportForm(request.POST))
    day = data.pop("since")
    since = timezone.make_aware(datetime.combine(day, time.min)) if day else None
    dataset_exports.request_export(**data, since=since, user=request.user, request=request)
    messages.success(request, "A worker writes the set; this page says how far it is.")
    return redirect("detection:datasets")


@require_GET
@requires(Can.DATASET_EXPORT)
def dataset(request: PageRequest, version_id: int) -> HttpResponse:
    """One version: counts, what was left out and why, who labelled, which model was corrected."""
    version = get_object_or_404(selectors_dataset.dataset_versions(), pk=version_id)
    makers = selectors_dataset.makers(version)
    context = {
        "version": version,
        "classes": list(CATEGORIES),
        "splits": _splits(version),
        "left_out": [(LEFT_OUT.get(k, k), n) for k, n in sorted(version.left_out.items())],
        "readers": makers.readers,
        "models": makers.models,
        "archive": selectors_dataset.archive_of(version),
    }
    return render(request, "detection/dataset.html", context)


@require_GET
@requires(Can.DATASET_EXPORT)
def download(request: PageRequest, version_id: int) -> HttpResponseBase:
    """The zip."""
    found = dataset_exports.open_archive(version_id=version_id, user=request.user, request=request)
    return zip_response(*found)


def _body(request: PageRequest) -> dict[str, Any]:
    page = Paginator(selectors_dataset.dataset_versions(), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    exports = list(selectors_dataset.exports()[:EXPORTS_SHOWN])
    for version in page.object_list:
        parts = version.counts.values()
        version.films = sum(part["films"] for part in parts)  # type: ignore[attr-defined]
        version.boxes = [  # type: ignore[attr-defined]
            (label, sum(part["boxes"].get(label, 0) for part in parts)) for label in CATEGORIES
        ]
    return {
        "page_obj": page,
        "classes": list(CATEGORIES),
        "exports": exports,
        "busy": any(e.state in {ExportState.QUEUED, ExportState.RUNNING} for e in exports),
        "as_of": timezone.now(),
    }


def _splits(version: DatasetVersion) -> list[dict[str, Any]]:
    return [
        {
            "name": split,
            "films": row["films"],
            "patients": row["patients"],
            "boxes": [row["boxes"].get(label, 0) for label in CATEGORIES],
        }
        for split, row in version.counts.items()
    ]
