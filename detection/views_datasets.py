"""Pages of exported sets: which there are, what is in them, having one written, its zip."""

from __future__ import annotations

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
from detection.forms import DatasetExportForm, cleaned
from detection.models import DatasetVersion, Label, Split
from detection.page_request import PageRequest
from detection.services import dataset_exports

PAGE_SIZE = 25
EXPORTS_SHOWN = 5
# why films or findings are not in a set, for a person (docs/datasets.md)
WORDS = {
    "not_readable": "signed as not readable",
    "abnormal_without_box": "signed abnormal, and no disease has a box",
    "normal_with_disease": "signed normal, and a verdict puts a disease on it",
    "burned_in": "its sender says that text may be burnt into the picture",
    "cannot_be_decoded": "its file can't be turned into pixels here",
    "input_differs": "an 8-bit picture would not give the detector the same grey levels",
    "rejected": "a reader rejected the finding",
    "unreviewed_against_conclusion": "nobody judged it, and the conclusion speaks against it",
    "unreviewed_below_threshold": "nobody judged it, and its score is below the threshold",
}


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
    dataset_exports.request_export(**data, user=request.user, request=request)
    messages.success(request, "A worker writes the set; this page says how far it is.")
    return redirect("detection:datasets")


@require_GET
@requires(Can.DATASET_EXPORT)
def dataset(request: PageRequest, version_id: int) -> HttpResponse:
    """One version: counts by part and class, what was left out and why, what came before."""
    version = get_object_or_404(selectors_dataset.datasets(), pk=version_id)
    context = {
        "version": version,
        "labels": Label.labels,
        "parts": _parts(version),
        "films": _words(version, "films_left_out"),
        "findings": _words(version, "findings_left_out"),
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
    page = Paginator(selectors_dataset.datasets(), PAGE_SIZE).get_page(request.GET.get("page"))
    exports = list(selectors_dataset.exports()[:EXPORTS_SHOWN])
    for version in page.object_list:
        films = version.counts.get("films_by_split", {})
        boxes = version.counts.get("boxes_by_label", {})
        version.parts = [(part, films.get(part, 0)) for part in Split.values]  # type: ignore[attr-defined]
        version.boxes = [  # type: ignore[attr-defined]
            (label, boxes.get(value, 0)) for value, label in Label.choices
        ]
    return {
        "page_obj": page,
        "labels": Label.labels,
        "splits": Split.values,
        "exports": exports,
        "busy": any(not export.ended for export in exports),
        "as_of": timezone.now(),
    }


def _parts(version: DatasetVersion) -> list[dict[str, Any]]:
    """Rows of the table; boxes of a class are `None` where an older version didn't count them."""
    counts = version.counts
    boxes = counts.get("boxes_by_split_and_label")
    return [
        {
            "name": name,
            "patients": counts.get("patients_by_split", {}).get(part, 0),
            "films": counts.get("films_by_split", {}).get(part, 0),
            "boxes": [
                (label, None if boxes is None else boxes.get(part, {}).get(value, 0))
                for value, label in Label.choices
            ],
        }
        for part, name in Split.choices
    ]


def _words(version: DatasetVersion, key: str) -> list[tuple[str, int]]:
    return [(WORDS.get(why, why), number) for why, number in version.counts.get(key, {}).items()]
