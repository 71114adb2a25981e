"""REST lists of the reading room, and how often second readers disagreed."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import AuditEntry, User
from detection.models import DetectorVersion
from detection.services import sign
from reading.models import SavedView
from reading.services import line, second_look
from tests.detection.factories import make_image, make_run, make_user

pytestmark = pytest.mark.django_db


def as_api(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def signed(version: DetectorVersion, by: User, conclusion: str, *, flag: bool) -> int:
    image = make_image()
    make_run(image, version, boxes=(("covid", 0.9),) if flag else ())
    sign.sign(image_id=image.pk, user=by, conclusion=conclusion)
    return image.pk


def test_calls_for_help(reader: User, other: User) -> None:
    first, second, third = (make_image().pk for _ in range(3))
    calls = [line.ask_help(image_id=pk, user=reader, reason="rib?") for pk in (first, second)]
    line.ask_help(image_id=third, user=reader, reason="line?")
    sign.sign(image_id=third, user=other, conclusion="normal")
    line.answer_help(help_id=calls[0].pk, user=other, answer="a rib")
    api = as_api(other)
    waiting = api.get("/api/v1/help/").data
    assert [row["image"] for row in waiting["results"]] == [second]
    answered = api.get("/api/v1/help/?state=answered").data["results"]
    assert [(row["answer"], row["ended_by"]) for row in answered] == [("a rib", "other")]
    assert api.get("/api/v1/help/?state=open").data["count"] == 2  # the signed film's too
    assert api.get("/api/v1/help/?state=nope").data["code"] == "bad_filter"
    assert {"images": [second]} in list(AuditEntry.objects.values_list("detail", flat=True))


def test_second_looks(version: DetectorVersion, reader: User, other: User) -> None:
    missed = signed(version, reader, "abnormal", flag=False)
    alarm = signed(version, reader, "normal", flag=True)
    second_look.look_again(image_id=alarm, user=other, agrees=False, reason="<b>rib</b>")
    api = as_api(other)
    (waits,) = api.get("/api/v1/second-looks/").data["results"]
    assert (waits["image"], waits["signed_by"], waits["look"]) == (missed, "reader", None)
    (looked,) = api.get("/api/v1/second-looks/?state=looked").data["results"]
    assert looked["image"] == alarm
    assert (looked["look"]["by"], looked["look"]["agrees"]) == ("other", False)
    assert api.get("/api/v1/second-looks/?state=all").status_code == 400


def test_lists_ask_a_constant_number_of_queries(
    version: DetectorVersion, reader: User, other: User, django_assert_max_num_queries: Any
) -> None:
    for _ in range(5):
        image = signed(version, reader, "normal", flag=True)
        second_look.look_again(image_id=image, user=other, agrees=True, reason="x")
        signed(version, reader, "normal", flag=True)
        call = line.ask_help(image_id=make_image().pk, user=reader, reason="rib?")
        line.answer_help(help_id=call.pk, user=other, answer="yes")
        line.ask_help(image_id=make_image().pk, user=reader, reason="rib?")
    api = as_api(other)
    for address in (
        "help/",
        "help/?state=answered",
        "second-looks/",
        "second-looks/?state=looked",
    ):
        with django_assert_max_num_queries(4):
            assert len(api.get(f"/api/v1/{address}").data["results"]) == 5


def test_saved_views_are_ones_own(reader: User, other: User) -> None:
    api = as_api(reader)
    body = {"name": " my  flagged ", "query": {"show": "flagged", "evil": "x"}}
    made = api.post("/api/v1/saved-views/", body, format="json")
    assert made.status_code == 201
    assert (made.data["name"], made.data["query"]) == ("my flagged", {"show": "flagged"})
    plain = api.post("/api/v1/saved-views/", {"name": "plain"}, format="json")
    assert plain.data["query"] == {}
    for bad in ({"name": ""}, {"name": "x", "query": [1]}, {"name": "x", "query": {"show": "\0"}}):
        assert api.post("/api/v1/saved-views/", bad, format="json").status_code == 400
    listed = api.get("/api/v1/saved-views/").data
    assert (listed["count"], [v["name"] for v in listed["results"]]) == (
        2,
        ["my flagged", "plain"],
    )
    stranger, address = as_api(other), f"/api/v1/saved-views/{made.data['id']}/"
    assert stranger.get("/api/v1/saved-views/").data["count"] == 0
    assert stranger.delete(address).data["code"] == "no_such_view"
    assert api.delete(address).status_code == 204
    assert [v.name for v in SavedView.objects.all()] == ["plain"]


def test_the_agreement_page_says_how_often_second_readers_disagreed(
    version: DetectorVersion, reader: User, other: User, settings: Any
) -> None:
    settings.SECOND_LOOK_SHARE = 1.0
    looks = [
        (reader, "normal", True, False),
        (reader, "normal", True, True),
        (reader, "normal", False, False),
        (reader, "normal", False, True),
        (reader, "normal", False, True),
        (other, "abnormal", False, True),
    ]
    third = make_user()
    for by, conclusion, flag, agrees in looks:
        image = signed(version, by, conclusion, flag=flag)
        second_look.look_again(image_id=image, user=third, agrees=agrees, reason="x")
    table = as_api(reader).get("/api/v1/agreement/").data["second_looks"]
    (mine,) = table["rows"]
    assert (mine["looked"], mine["disagreed"], mine["drawn"], mine["drawn_disagreed"]) == (
        (5, 2, 3, 1)
    )
    figure = mine["drawn_figure"]
    # Wilson's interval of 1 in 3, as statsmodels' proportion_confint gives it
    assert figure["value"] == pytest.approx(1 / 3)
    assert figure["low"] == pytest.approx(0.0615, abs=1e-3)
    assert figure["high"] == pytest.approx(0.7923, abs=1e-3)
    lead = make_user(is_reading_lead=True, display_name="<b>Lead</b>")
    everyone = as_api(lead).get("/api/v1/agreement/").data["second_looks"]
    assert [row["looked"] for row in everyone["rows"]] == [5, 1]
    assert everyone["total"]["looked"] == 6
    client = Client()
    client.force_login(third)
    assert "has been looked at by a second reader" in client.get("/agreement/").content.decode()
    client.force_login(lead)
    html = client.get("/agreement/").content.decode()
    assert "Second looks by reader" in html
    assert "Dr Other" in html
    assert "0.33" in html
    assert client.get("/agreement/?since=2020-01-01&until=2020-02-01").status_code == 200
