"""The page with the figures of a version."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from accounts.models import User
from detection import version_report
from detection.manifest import read_manifest
from detection.models import DetectorVersion
from tests.detection.factories import make_version
from tests.detection.test_pages import as_user, text
from tests.detectors.conftest import ACTIVE


@pytest.mark.django_db
def test_the_shipped_versions_figures(admin: User) -> None:
    manifest = read_manifest(ACTIVE.with_suffix(".json"))
    version = make_version("candidate", name="shipped", metrics=dict(manifest.metrics))
    page = as_user(admin)
    address = f"/models/{version.pk}/report/"
    assert address in text(page.get("/models/"))
    html = text(page.get(address))
    figure = manifest.metrics["val"]["headline"]["auc_covid"]
    assert f"{figure['value']:.3f}" in html
    assert f"{figure['low']:.3f} to {figure['high']:.3f}" in html
    assert "15 patients, 41 films" in html
    assert "fitted on: cross-validation by patient" in html
    assert html.index("no choice was made") < html.index("choices were made")
    assert "<script" not in html.split("<main", 1)[1].split("</main>")[0]


@pytest.mark.django_db
def test_a_version_without_figures(admin: User, version: DetectorVersion) -> None:
    assert "how good it is, is unknown" in text(as_user(admin).get(f"/models/{version.pk}/report/"))
    assert as_user(admin).get("/models/999999/report/").status_code == 404


@pytest.mark.parametrize("report", [{}, {"headline": 7, "counts": [], "flags": None}, {"ap": {}}])
def test_figures_in_another_shape_are_left_out(report: dict[str, Any]) -> None:
    (section,) = version_report.sections({"val": report, "test": "good"})
    shown = dataclasses.asdict(section)
    assert shown.pop("name").startswith("validation")
    assert not any(shown.values())
