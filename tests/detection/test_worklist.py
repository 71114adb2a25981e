from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from detection import selectors
from detection.models import DetectionRun, DetectorVersion, RunState, WorklistItem
from detection.services import claims, sign
from detection.services.worklist import refresh_items
from imaging.models import Image
from tests.detection.factories import make_device, make_image, make_run

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def shown(user: User, show: str = "", **filters: str) -> list[int]:
    page = selectors.worklist(user=user, filters={"show": show} | filters)
    return [row.image.pk for row in page.rows]


@pytest.fixture
def one_of_each(version: DetectorVersion, reader: User) -> dict[str, Image]:
    """One film in every situation, named by it."""
    images = {}

    def film(name: str, state: str = RunState.DONE, **fields: object) -> None:
        image = make_image(**fields.pop("image", {}))  # type: ignore[arg-type]
        images[name] = image
        make_run(image, version, state, **fields)  # type: ignore[arg-type]

    film("covid", boxes=(("covid", 0.91, 10, 10, 50, 50), ("covid", 0.7, 300, 10, 50, 50)))
    film("weak", boxes=(("pneumonia", 0.45),))
    film("below", boxes=(("covid", 0.49), ("normal", 0.99)))
    film("doubted", device_trust="reduced", trust_reasons=[])
    film("failed", RunState.FAILED)
    film("refused", RunState.REFUSED)
    film("queued", RunState.QUEUED)
    film("running", RunState.RUNNING)
    film("waited", image={"received_ago": HOUR + timedelta(minutes=1)})
    film("signed", boxes=(("covid", 0.99),))
    images["no run"] = make_image()
    refresh_items(image_ids=[images["no run"].pk])
    sign.sign(image_id=images["signed"].pk, user=reader, conclusion="abnormal")
    return images


def test_what_needs_a_reader_in_order(one_of_each: dict[str, Image], reader: User) -> None:
    names = {image.pk: name for name, image in one_of_each.items()}
    assert [names[pk] for pk in shown(reader)] == [
        "waited",
        "covid",
        "weak",
        "failed",
        "refused",
        "no run",
        "doubted",
    ]


@pytest.mark.parametrize(
    ("show", "expected"),
    [
        ("flagged", {"covid", "weak"}),
        ("unread", {"doubted", "failed", "refused", "no run"}),
        ("overdue", {"waited"}),
        ("mine", set()),
        (
            "all",
            {
                "covid", "weak", "below", "doubted", "failed", "refused", "queued", "running",
                "waited", "no run",
            },
        ),
    ],
)  # fmt: skip
def test_chips_show_and_count_the_same_films(
    one_of_each: dict[str, Image], reader: User, show: str, expected: set[str]
) -> None:
    names = {image.pk: name for name, image in one_of_each.items()}
    page = selectors.worklist(user=reader, filters={"show": show})
    assert {names[row.image.pk] for row in page.rows} == expected
    assert page.counts[show] == len(expected)
    assert page.reading_now == 1
    assert page.oldest_since == one_of_each["waited"].received_at


def test_a_row_says_why_and_what(one_of_each: dict[str, Image], reader: User) -> None:
    row = next(
        r for r in selectors.worklist(user=reader).rows if r.image.pk == one_of_each["covid"].pk
    )
    assert row.why == "covid 0.91, both sides"
    assert (row.label, row.score, row.side) == ("covid", 0.91, "both")
    assert [f.score for f in row.flags] == [0.91, 0.7]
    assert row.run_state == "done"
    assert row.age == timezone.localdate().year - 1958 - (
        (timezone.localdate().month, timezone.localdate().day) < (1, 2)
    )


def test_claims_show_while_they_live(
    one_of_each: dict[str, Image], reader: User, other: User
) -> None:
    image = one_of_each["covid"]
    claims.claim(image_id=image.pk, user=other)
    mine = selectors.worklist(user=other, filters={"show": "mine"}).rows
    assert [r.image.pk for r in mine] == [image.pk]
    assert mine[0].is_mine
    assert mine[0].claimed_by == other
    assert shown(reader, "mine") == []
    later = timezone.now() + timedelta(minutes=11)
    assert selectors.worklist(user=other, filters={"show": "mine"}, now=later).rows == ()


def test_next_is_the_most_urgent_that_nobody_else_holds(
    one_of_each: dict[str, Image], reader: User, other: User
) -> None:
    first, second, third = (one_of_each[n] for n in ("waited", "covid", "weak"))
    assert selectors.next_image(user=reader) == first
    assert selectors.next_image(user=reader, after=first.pk) == second
    claims.claim(image_id=second.pk, user=other)
    assert selectors.next_image(user=reader, after=first.pk) == third
    assert selectors.next_image(user=other, after=first.pk) == second


def test_nothing_to_read(reader: User) -> None:
    assert selectors.next_image(user=reader) is None
    page = selectors.worklist(user=reader)
    assert (page.rows, page.oldest_since, page.counts["all"]) == ((), None, 0)


def test_filters(one_of_each: dict[str, Image], version: DetectorVersion, reader: User) -> None:
    device = make_device()
    image = make_image(device=device, device_serial=device.serial)
    make_run(image, version, boxes=(("pneumonia", 0.8),), device_trust="reduced")
    for filters in (
        {"device": str(device.pk)},
        {"patient": str(image.series.study.patient_id)},
        {"trust": "reduced", "label": "pneumonia"},
    ):
        assert shown(reader, **filters) == [image.pk], filters
    everything = shown(reader)
    for hostile in ("x; drop", "\0", "²", "9" * 400, "-1"):
        filters = {"device": hostile, "trust": hostile, "label": hostile, "patient": hostile}
        assert shown(reader, show=hostile, **filters) == everything


@pytest.mark.parametrize("ordering", sorted(selectors.ORDERINGS))
def test_every_ordering_gives_every_film_once(
    one_of_each: dict[str, Image], reader: User, ordering: str
) -> None:
    rows = selectors.worklist(user=reader, filters={"show": "all"}, ordering=ordering).rows
    assert len({r.image.pk for r in rows}) == len(rows) == 10
    key: Callable[[selectors.WorklistRow], object]
    if ordering.lstrip("-") == "waiting_since":
        key = lambda r: r.waiting_since  # noqa: E731
    elif ordering.lstrip("-") == "patient":
        key = lambda r: r.patient.identifier  # noqa: E731
    else:
        return
    assert list(rows) == sorted(rows, key=key, reverse=ordering.startswith("-"))  # type: ignore[arg-type]


def test_pages(one_of_each: dict[str, Image], reader: User) -> None:
    seen = []
    for number in (1, 2, 3):
        page = selectors.worklist(user=reader, filters={"show": "all"}, page=number, page_size=4)
        assert page.page.paginator.count == 10
        seen += [r.image.pk for r in page.rows]
    assert len(seen) == len(set(seen)) == 10
    beyond = selectors.worklist(user=reader, filters={"show": "all"}, page="99", page_size=4)
    assert beyond.page.number == 3


def test_the_number_of_queries_does_not_grow(version: DetectorVersion, reader: User) -> None:
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            rows = selectors.worklist(user=reader).rows
            [(r.patient.identifier, r.device, r.claimed_by, r.why, r.run) for r in rows]
        return len(queries)

    make_run(make_image(device=make_device()), version, boxes=(("covid", 0.9),))
    few = count()
    for _ in range(5):
        make_run(make_image(device=make_device()), version, boxes=(("covid", 0.9),))
    assert count() == few <= 8


def test_the_stored_row_follows_its_sources(version: DetectorVersion) -> None:
    image = make_image()
    run = make_run(image, version, RunState.RUNNING)
    item = WorklistItem.objects.get(image=image)
    assert (item.run_state, item.flagged, item.needs_reader) == ("running", False, False)
    DetectionRun.objects.filter(pk=run.pk).update(
        state=RunState.DONE, lease_token="", lease_until=None, finished_at=timezone.now(), seconds=1
    )
    run.findings.create(label="covid", score=0.8, x=1, y=1, w=5, h=5)
    refresh_items(image_ids=[image.pk])
    item.refresh_from_db()
    assert (item.run_state, item.flagged, item.label, item.score) == ("done", True, "covid", 0.8)
    refresh_items(image_ids=[])


def test_a_newer_run_takes_the_place_of_an_older_one(version: DetectorVersion) -> None:
    from tests.detection.factories import make_version

    image = make_image()
    old = make_version("retired")
    make_run(image, old, boxes=(("covid", 0.9),), queued_at=timezone.now() - HOUR)
    make_run(image, version)
    item = WorklistItem.objects.get(image=image)
    assert item.run.version == version
    assert not item.flagged
