"""Films that were signed before the queue of second looks was stored come into it, once."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps

from accounts.models import User
from detection.models import DetectorVersion, Signature, WorklistItem
from detection.services import sign
from reading.selectors import second_looks
from reading.services import second_look
from tests.detection.factories import make_image, make_run

pytestmark = pytest.mark.django_db


def test_the_queue_is_the_same_as_if_it_had_always_been_stored(
    version: DetectorVersion, reader: User, other: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    migration = import_module("detection.migrations.0009_second_looks")
    monkeypatch.setattr(migration, "BATCH", 2)  # several rounds
    for conclusion in ("normal", "abnormal", "not_readable"):
        for boxes in ((), (("covid", 0.9),)):
            for sha in ("0" * 64, "f" * 64):
                image = make_image(sha256=sha[:-8] + f"{Signature.objects.count():08x}")
                make_run(image, version, boxes=boxes)
                sign.sign(image_id=image.pk, user=reader, conclusion=conclusion)
    make_run(make_image(), version)  # not signed
    looked = second_looks().first()
    assert looked is not None
    second_look.look_again(image_id=looked.image_id, user=other, agrees=True, reason="x")
    before = dict(WorklistItem.objects.values_list("pk", "look_since"))
    assert len([at for at in before.values() if at]) == 4
    WorklistItem.objects.update(look_since=None)
    migration.fill(apps, None)
    import_module("reading.migrations.0008_looked_films").leave(apps, None)
    assert dict(WorklistItem.objects.values_list("pk", "look_since")) == before
