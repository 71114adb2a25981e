"""Detector against signatures: figures by hand, who sees whose films, the films behind a number."""

from __future__ import annotations

import random
from datetime import timedelta

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from accounts.permissions import Can, Role, may
from accounts.services.users import update_user
from detection.models import DetectionRun, Signature
from reading.agreement import Cells, kappa, miss_rate, ppv
from reading.selectors_agreement import Span, agreement_table, films_of_cell, lately
from tests.detection.factories import make_device, make_image, make_run, make_user, make_version
from twinhealth.errors import InvalidInputError

COVID = (("covid", 0.9, 2, 3, 100, 120),)
NORMAL = (("normal", 0.9, 2, 3, 100, 120),)


def film(reader, version, *, flagged, conclusion, ago=timedelta(hours=1), device=None, late=False):
    """A film that the detector read and a reader then signed; or that it read afterwards."""
    image = make_image(device=device)
    run = make_run(image, version, boxes=COVID if flagged else NORMAL)
    signed = timezone.now() - ago
    read = signed + timedelta(minutes=5) if late else signed - timedelta(minutes=5)
    DetectionRun.objects.filter(pk=run.pk).update(finished_at=read)
    return Signature.objects.create(
        image=image, by=reader, by_name=str(reader), at=signed, conclusion=conclusion
    )


def now_span():
    return lately(timezone.localdate())


def test_kappa_by_hand():
    # Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions: 2 x 2 by hand
    cells = Cells(hits=40, alarms=10, misses=20, passes=30)
    got = kappa(cells)
    seen, chance = 0.7, 0.5 * 0.6 + 0.5 * 0.4
    assert got.value == pytest.approx((seen - chance) / (1 - chance))
    assert got.low < got.value < got.high
    assert got.films == 100


def test_the_interval_of_kappa_is_that_of_many_draws():
    cells = Cells(hits=120, alarms=40, misses=30, passes=210)
    got = kappa(cells)
    rng = np.random.default_rng(random.getrandbits(32))
    shares = np.array([120, 40, 30, 210]) / 400
    drawn = [
        kappa(Cells(*(int(n) for n in counts))).value
        for counts in rng.multinomial(400, shares, 4000)
    ]
    low, high = np.percentile(drawn, (2.5, 97.5))
    assert got.low == pytest.approx(low, abs=0.01)
    assert got.high == pytest.approx(high, abs=0.01)


@pytest.mark.parametrize(
    "counts", [(1, 0, 0, 1), (1, 1, 0, 0), (0, 1, 0, 0), (3, 0, 0, 6), (0, 4, 4, 0), (9, 1, 0, 0)]
)
def test_few_films_never_make_kappa_certain(counts):
    got = kappa(Cells(*counts))
    assert -1 <= got.low <= got.value <= got.high <= 1
    assert got.high - got.low > 0.5


def test_full_agreement_is_surer_with_more_films():
    lows = [kappa(Cells(n, 0, 0, n)).low for n in (1, 5, 20, 100)]
    assert lows == sorted(lows)
    assert lows[0] < 0.3
    assert 0.9 < lows[-1] < 1
    assert kappa(Cells(100, 0, 0, 100)).high == 1


@pytest.mark.parametrize("true", [0.0, 0.4, 0.8, 0.95])
@pytest.mark.parametrize("films", [5, 10, 40])
def test_the_interval_of_kappa_covers_in_small_tables(true, films):
    """Both call half of the films abnormal; of the draws that have a kappa, nine of ten at least."""
    same, apart = 0.25 * (1 + true), 0.25 * (1 - true)
    rng = np.random.default_rng(random.getrandbits(32))
    drawn = rng.multinomial(films, [same, apart, apart, same], 3000)
    found = [kappa(Cells(*(int(n) for n in counts))) for counts in drawn]
    covers = [figure.low <= true <= figure.high for figure in found if figure]
    assert sum(covers) / len(covers) > 0.88


def test_shares_by_hand():
    cells = Cells(hits=8, alarms=2, misses=0, passes=5)
    # Wilson's interval of 8 of 10
    assert ppv(cells).value == 0.8
    assert ppv(cells).low == pytest.approx(0.4902, abs=1e-4)
    assert ppv(cells).high == pytest.approx(0.9433, abs=1e-4)
    # none of 8: the upper end is no zero
    assert miss_rate(cells).low == 0.0
    assert miss_rate(cells).high == pytest.approx(0.3244, abs=1e-4)


def test_what_cant_be_told_is_none():
    assert kappa(Cells(0, 0, 0, 0)) is None
    assert kappa(Cells(5, 0, 0, 0)) is None
    assert ppv(Cells(0, 0, 3, 3)) is None
    assert miss_rate(Cells(0, 3, 0, 3)) is None


@pytest.mark.django_db
def test_films_are_counted_by_what_the_reader_had(reader, version):
    for flagged, conclusion in ((1, "abnormal"), (1, "abnormal"), (1, "normal"), (0, "abnormal")):
        film(reader, version, flagged=flagged, conclusion=conclusion)
    film(reader, version, flagged=0, conclusion="normal")
    film(reader, version, flagged=1, conclusion="not_readable")
    film(reader, version, flagged=1, conclusion="abnormal", late=True)
    # another version that read the film after it was signed changes nothing
    signed = film(reader, version, flagged=0, conclusion="normal")
    make_run(signed.image, make_version("candidate"), boxes=COVID)
    table = agreement_table(user=reader, by="version", span=now_span())
    assert table.total.cells == Cells(hits=2, alarms=1, misses=1, passes=2)
    assert (table.unreadable, table.unread) == (1, 1)
    assert [(row.label, row.cells.films) for row in table.rows] == [(version.name, 6)]


@pytest.mark.django_db
@pytest.mark.parametrize("by", ["week", "version", "device", "reader"])
def test_rows_add_up_and_open_their_films(by, reader, version, django_assert_max_num_queries):
    machines = [make_device(), make_device(), None]
    for number in range(9):
        film(
            reader,
            version,
            flagged=number % 2,
            conclusion=("normal", "abnormal")[number % 3 == 0],
            ago=timedelta(days=4 * number),
            device=machines[number % 3],
        )
    with django_assert_max_num_queries(5):
        table = agreement_table(user=reader, by=by, span=now_span())
    assert table.total.cells.films == 9
    assert sum(row.cells.films for row in table.rows) == 9
    for row in table.rows:
        for cell in ("hits", "alarms", "misses", "passes"):
            found = films_of_cell(user=reader, span=now_span(), cell=cell, by=by, key=row.key)
            assert found.count() == getattr(row.cells, cell)
    if by == "week":
        assert [row.key for row in table.rows] == sorted((r.key for r in table.rows), reverse=True)
    nowhere = films_of_cell(user=reader, span=now_span(), cell="hits", by=by, key="no such key")
    assert nowhere.count() == 0


@pytest.mark.django_db
def test_one_sees_the_own_films_and_the_lead_all(reader, other, version, admin):
    film(reader, version, flagged=1, conclusion="abnormal")
    film(other, version, flagged=0, conclusion="abnormal")
    mine = agreement_table(user=reader, by="reader", span=now_span())
    assert [row.label for row in mine.rows] == [str(reader)]
    assert not mine.everyone
    update_user(user_id=other.pk, actor=admin, is_reading_lead=True)
    lead = User.objects.get(pk=other.pk)
    assert may(lead, Can.READERS_COMPARE)
    every = agreement_table(user=lead, by="reader", span=now_span())
    assert {row.label for row in every.rows} == {str(reader), "Dr Other"}
    # the address of another's number shows nothing to one who isn't the lead
    foreign = next(row.key for row in every.rows if row.label == "Dr Other")
    shown = films_of_cell(user=reader, span=now_span(), cell="misses", by="reader", key=foreign)
    assert shown.count() == 0


@pytest.mark.django_db
def test_only_a_clinician_leads(admin, reader):
    engineer = make_user(Role.ENGINEER)
    with pytest.raises(InvalidInputError) as caught:
        update_user(user_id=engineer.pk, actor=admin, is_reading_lead=True)
    assert caught.value.code == "not_a_clinician"
    update_user(user_id=reader.pk, actor=admin, is_reading_lead=True)
    update_user(user_id=reader.pk, actor=admin, role=Role.ENGINEER)
    reader.refresh_from_db()
    assert not reader.is_reading_lead


@pytest.mark.django_db
def test_the_page_and_its_numbers(reader, version):
    signed = film(reader, version, flagged=0, conclusion="abnormal")
    film(reader, version, flagged=1, conclusion="abnormal")
    client = Client()
    client.force_login(reader)
    page = client.get("/agreement/?by=version").content.decode()
    assert version.name in page
    assert "films that you signed" in page
    assert "by reader" not in page
    address = f"/agreement/films/?by=version&amp;cell=misses&amp;key={version.pk}"
    assert address in page
    films = client.get(address.replace("&amp;", "&")).content.decode()
    assert f"/films/{signed.image_id}/" in films
    assert films.count("data-href=") == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query", ["since=x", "by=colour", "since=2030-01-01&until=2020-01-01", "since=0001-01-01"]
)
def test_an_odd_address_shows_the_page(query, reader):
    client = Client()
    client.force_login(reader)
    assert client.get(f"/agreement/?{query}").status_code == 200
    assert client.get(f"/agreement/films/?{query}&cell=odd&key=%C3%9F").status_code == 200


@pytest.mark.django_db
def test_rest(reader, version):
    film(reader, version, flagged=1, conclusion="normal")
    api = APIClient()
    api.force_authenticate(reader)
    got = api.get("/api/v1/agreement/?by=version").json()
    assert got["total"]["cells"] == {"hits": 0, "alarms": 1, "misses": 0, "passes": 0}
    assert got["rows"][0]["ppv"]["value"] == 0.0
    assert got["rows"][0]["kappa"]["value"] == pytest.approx(0.0)
    assert got["rows"][0]["miss_rate"] is None


def test_a_span_holds_its_last_day():
    today = timezone.localdate()
    start, end = Span(today, today).moments
    assert start <= timezone.now() < end
