"""Two readers at once: threads with connections of their own, real commits."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection

from accounts.models import User
from detection.models import (
    Claim,
    DetectorVersion,
    Promotion,
    ReadingState,
    Review,
    Signature,
    VersionReading,
    VersionState,
)
from detection.services import apart, claims, readings, reviews, shadow, sign, versions
from detection.services.worklist import refresh_items
from tests.detection.factories import make_image, make_run, make_user, make_version
from tests.detection.fakes import FakeDetector, install
from twinhealth.errors import ConflictError

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 5


def hammer(acts: list[Callable[[], object]]) -> Counter[str]:
    """Run all at once; count `ok` and the codes of conflicts. Anything else fails the test."""
    seen: Counter[str] = Counter()
    broken: list[BaseException] = []
    start = threading.Barrier(len(acts))

    def work(act: Callable[[], object]) -> None:
        try:
            start.wait()
            act()
            seen["ok"] += 1
        except ConflictError as error:
            seen[error.code] += 1
        except BaseException as error:  # noqa: BLE001 - shown by the main thread
            broken.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not broken, broken
    return seen


def readers() -> list[User]:
    return [make_user(username="anna"), make_user(username="bert")]


def test_two_readers_claim_and_one_has_it() -> None:
    both = readers()
    for _ in range(ROUNDS):
        image = make_image()
        seen = hammer([partial(claims.claim, image_id=image.pk, user=u) for u in both * 3])
        holder = Claim.objects.get(image=image).by_id
        assert seen == {"ok": 3, "claimed": 3}
        assert holder in {u.pk for u in both}


def test_two_readers_sign_and_one_signature_stands() -> None:
    both = readers()
    for _ in range(ROUNDS):
        image = make_image()
        refresh_items(image_ids=[image.pk])
        acts = [
            partial(sign.sign, image_id=image.pk, user=u, conclusion=c)
            for u, c in zip(both * 3, ["normal", "abnormal"] * 3, strict=True)
        ]
        assert hammer(acts) == {"ok": 3, "signed": 3}
        assert Signature.objects.filter(image=image).count() == 1
        image.worklist_item.refresh_from_db()
        assert image.worklist_item.signed


def test_a_verdict_comes_before_the_signature_or_not_at_all() -> None:
    both = readers()
    version = make_version()
    for _ in range(ROUNDS):
        run = make_run(make_image(), version, boxes=(("covid", 0.9),))
        finding = run.findings.get()
        hammer(
            [
                partial(sign.sign, image_id=run.image_id, user=both[0], conclusion="normal"),
                partial(
                    reviews.record,
                    finding_id=finding.pk,
                    user=both[1],
                    verdict="reject",
                    reason_code="artefact",
                ),
            ]
        )
        signature = Signature.objects.get(image=run.image_id)
        assert all(r.at <= signature.at for r in Review.objects.filter(finding=finding))


def test_two_admins_promote_and_one_version_is_active(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "weights_problem", lambda version: None)
    who = make_user("admin")
    candidates = [make_version(VersionState.CANDIDATE) for _ in range(4)]
    act = partial(versions.promote, user=who, reason="Our machine was replaced by a newer one.")
    seen = hammer([partial(act, version_id=v.pk) for v in candidates])
    assert seen["ok"] >= 1
    assert set(seen) <= {"ok", "active_changed"}  # who looked at another active one looks again
    history = list(Promotion.objects.order_by("pk"))
    assert len(history) == seen["ok"]
    assert [p.instead_of_id for p in history[1:]] == [p.version_id for p in history[:-1]]
    assert DetectorVersion.objects.filter(state=VersionState.ACTIVE).count() == 1


def test_two_versions_want_to_read_along_and_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadow, "weights_problem", lambda version: None)
    who = make_user("admin")
    for _ in range(ROUNDS):
        rivals = [make_version(VersionState.CANDIDATE) for _ in range(3)]
        seen = hammer([partial(shadow.start_shadow, version_id=v.pk, user=who) for v in rivals])
        assert seen == {"ok": 1, "another_shadow": 2}
        (one,) = DetectorVersion.objects.filter(state=VersionState.SHADOW)
        shadow.retire(version_id=one.pk, user=who)


def test_three_workers_read_each_film_apart_once(monkeypatch: pytest.MonkeyPatch) -> None:
    version = make_version(VersionState.SHADOW)
    for _ in range(8):
        readings.read_along(make_image())
    detector = install(monkeypatch, FakeDetector(("covid", 0.9, 1, 1, 5, 5)))
    hammer([partial(apart.read_apart, seconds=60)] * 3)
    assert detector.calls == 8
    done = VersionReading.objects.filter(version=version, state=ReadingState.DONE)
    assert done.count() == 8
