"""Messages of the MQTT door: opened, judged, stored together, and acknowledged after the commit."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.db.models import Count
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from devices import mqtt_listener
from devices.models import Device, MqttCount, Reading, RuleState, Wake
from devices.mqtt_listener import Listener, read_url
from devices.mqtt_messages import MAX_BYTES, Message
from devices.mqtt_packets import Arrived
from devices.services import keys, reading_rows
from devices.services.mqtt import record_messages
from devices.services.rollups import rebuild_rollups
from tests.devices import factories as f

pytestmark = pytest.mark.django_db


@pytest.fixture
def device() -> Device:
    made = f.model()
    f.metric(made, "noise")
    return f.device(made, serial="SN 1")


def key_of(device: Device) -> str:
    return keys.make(device=device, name="gateway", actor=f.user())[1]


def items(*minutes: float, **changes: Any) -> list[dict[str, Any]]:
    return [
        {
            "metric": "noise",
            "value": 1,
            "unit": "1",
            "measured_at": (f.NOW + f.minutes(minute)).isoformat(),
            **changes,
        }
        for minute in minutes
    ]


def message(device: Device, data: Any, key: str = "", **fields: Any) -> Message:
    topic = fields.pop("topic", f"twinhealth/{device.serial}/readings")
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    return Message(topic=topic, payload=body, key=key, **fields)


def counted() -> dict[str, int]:
    return dict(MqttCount.objects.values_list("outcome", "count"))


def test_a_list_with_the_key_beside_it_or_an_object_with_both(device: Device) -> None:
    key = key_of(device)
    got = record_messages(
        messages=[
            message(device, items(0, 1), key),
            message(device, {"key": key, "readings": items(2)}),
            message(device, items(1, 3), key),
        ]
    )
    assert got == {"message:taken": 3, "reading:accepted": 4, "reading:duplicate": 1}
    assert counted() == got
    assert set(Reading.objects.values_list("source", flat=True)) == {"mqtt"}
    record_messages(messages=[message(device, items(0, 1, 2, 3), key)])
    assert counted()["reading:duplicate"] == 5
    assert counted()["reading:accepted"] == Reading.objects.count() == 4


def test_bad_items_are_counted_by_their_reason(device: Device) -> None:
    body = json.dumps(items(0) + items(1, metric="x") + items(2, value=float("nan"))).encode()
    got = record_messages(messages=[message(device, body, key_of(device))])
    assert got == {
        "message:taken": 1,
        "reading:accepted": 1,
        "reading:duplicate": 0,
        "reading:unknown_metric": 1,
        "reading:not_a_number": 1,
    }


def _revoked(device: Device) -> str:
    key, text = keys.make(device=device, name="old", actor=f.user())
    keys.revoke(key=key, actor=f.user())
    return text


LONG = f"twinhealth/{'x' * 65_000}/readings"
REFUSALS: list[tuple[str, Callable[[Device, str], Message]]] = [
    ("retained", lambda d, key: message(d, items(0), key, retained=True)),
    ("bad_topic", lambda d, key: message(d, items(0), key, topic="twinhealth/SN 1/readings/x")),
    ("bad_topic", lambda d, key: message(d, items(0), key, topic="twinhealth//readings")),
    ("bad_topic", lambda d, key: message(d, items(0), key, topic="")),
    ("bad_topic", lambda d, key: message(d, items(0), key, topic="other/SN 1/readings")),
    ("bad_topic", lambda d, key: message(d, items(0), key, topic="twinhealth/SN 1/x/readings")),
    ("bad_topic", lambda d, key: message(d, items(0), key, topic="/twinhealth/SN 1/readings")),
    ("bad_topic", lambda d, key: message(d, items(0), key, topic="$SYS/broker/uptime")),
    ("bad_topic", lambda d, key: message(d, items(0), key, topic="/" * 65_000)),
    ("wrong_device", lambda d, key: message(d, items(0), key, topic=LONG)),
    ("wrong_device", lambda d, key: message(d, items(0), key, topic="twinhealth/SN 1\0/readings")),
    ("wrong_device", lambda d, key: message(d, items(0), key, topic="twinhealth/$SYS/readings")),
    ("wrong_device", lambda d, key: message(d, items(0), key, topic="twinhealth/+/readings")),
    ("wrong_device", lambda d, key: message(d, items(0), key, topic="twinhealth/#/readings")),
    ("wrong_device", lambda d, key: message(d, items(0), key, topic="twinhealth/SN 2/readings")),
    ("wrong_device", lambda d, key: message(d, items(0), key_of(f.device(d.model)))),
    ("too_large", lambda d, key: message(d, b" " * (MAX_BYTES + 1), key)),
    ("not_json", lambda d, key: message(d, b"", key)),
    ("not_json", lambda d, key: message(d, b"\xff\xfe\x00", key)),
    ("not_json", lambda d, key: message(d, b"[" * 200_000, key)),
    ("not_json", lambda d, key: message(d, b"[1" + b"0" * 5_000 + b"]", key)),
    ("list_expected", lambda d, key: message(d, {"readings": items(0)[0]}, key)),
    ("list_expected", lambda d, key: message(d, 5, key)),
    ("too_many_readings", lambda d, key: message(d, items(0) * 10_001, key)),
    ("key_missing", lambda d, key: message(d, items(0))),
    ("key_missing", lambda d, key: message(d, {"key": [key], "readings": items(0)})),
    ("key_unknown", lambda d, key: message(d, items(0), key + "x")),
    ("key_unknown", lambda d, key: message(d, items(0), "\ud800\0")),
    ("key_revoked", lambda d, key: message(d, items(0), _revoked(d))),
]


@pytest.mark.parametrize(("code", "make"), REFUSALS)
def test_refused_with_a_counted_reason(
    device: Device, code: str, make: Callable[[Device, str], Message], caplog: Any
) -> None:
    key = key_of(device)
    got = record_messages(messages=[make(device, key), message(device, items(5), key)])
    assert got[f"message:{code}"] == 1
    assert got["reading:accepted"] == Reading.objects.count() == 1  # the others go on
    assert counted() == {name: count for name, count in got.items() if count}
    assert code in caplog.text
    assert key.split("_", 2)[2] not in caplog.text


def test_a_key_that_is_revoked_between_two_messages(device: Device) -> None:
    key, text = keys.make(device=device, name="old", actor=f.user())
    assert record_messages(messages=[message(device, items(0), text)])["reading:accepted"] == 1
    keys.revoke(key=key, actor=f.user())
    assert record_messages(messages=[message(device, items(1), text)]) == {"message:key_revoked": 1}
    assert Reading.objects.count() == 1


def test_machines_without_clock_and_with_the_same_key_twice(device: Device) -> None:
    body = json.dumps(
        items(0)
        + items(1, measured_at="1970-01-01T00:00:00Z")
        + items(2, measured_at="2100-01-01T00:00:00Z")
        + items(3, measured_at="0001-01-01T00:00:00+14:00")
        + items(4, unit="kV")
        + items(5, value=[[[1]]])
    )
    twice = body.replace('"metric": "noise"', '"metric": "x", "metric": "noise"')
    got = record_messages(messages=[message(device, twice.encode(), key_of(device))])
    assert got == {
        "message:taken": 1,
        "reading:accepted": 1,  # of a name that comes twice the last one counts
        "reading:duplicate": 0,
        "reading:too_old": 2,
        "reading:in_future": 1,
        "reading:unit_mismatch": 1,
        "reading:not_a_number": 1,
    }


@pytest.mark.parametrize("level", ["%00", "a\0", "x" * 65_000, "%ff", "$SYS", "+", "%2e%2e"])
def test_hostile_topics_where_the_broker_vouches(device: Device, settings: Any, level: str) -> None:
    settings.MQTT_TRUST_TOPIC = True
    hostile = message(device, items(0), topic=f"twinhealth/{level}/readings")
    got = record_messages(messages=[hostile, message(device, items(1))])
    assert (got["message:unknown_device"], got["reading:accepted"]) == (1, 1)


def test_a_flood_of_junk_is_one_line(device: Device, caplog: pytest.LogCaptureFixture) -> None:
    record_messages(messages=[message(device, b"junk")] * 300)
    assert counted() == {"message:not_json": 300}
    assert caplog.text.count("mqtt_refused") == 1


def test_a_serial_that_is_no_topic_level_is_encoded() -> None:
    made = f.model()
    f.metric(made, "noise")
    device = f.device(made, serial="A/1+#%2F")
    key = key_of(device)
    topic = "twinhealth/A%2F1%2B%23%252F/readings"
    got = record_messages(messages=[message(device, items(0), key, topic=topic)])
    assert got["reading:accepted"] == 1


def test_a_broker_that_vouches_for_topics(device: Device, settings: Any) -> None:
    settings.MQTT_TRUST_TOPIC = True
    other = key_of(f.device(device.model))
    got = record_messages(
        messages=[
            message(device, items(0)),
            message(device, items(1), topic="twinhealth/SN%201/readings"),
            message(device, items(2), topic="twinhealth/nobody/readings"),
            message(device, items(3), other),  # a key that is given must still fit
        ]
    )
    assert got["reading:accepted"] == 2
    assert got["message:unknown_device"] == got["message:wrong_device"] == 1


def _queries(messages: list[Message]) -> tuple[int, dict[str, int]]:
    with CaptureQueriesContext(connection) as caught:
        got = record_messages(messages=messages)
    return len(caught), got


@pytest.mark.parametrize("trusted", [False, True])
def test_queries_do_not_grow_with_the_machines(
    device: Device, settings: Any, trusted: bool
) -> None:
    """Kept rules, readings that came late, keys that were used for the first time: all together."""
    settings.MQTT_TRUST_TOPIC = trusted
    noise = device.model.metrics.get()
    rule = f.rule(noise)
    machines = [device, *(f.device(device.model) for _ in range(12))]
    RuleState.objects.bulk_create(
        RuleState(device=d, rule=rule, fingerprint="x", state={}, verdict={}, last_at=f.NOW)
        for d in machines
    )
    texts = {d.pk: "" if trusted else key_of(d) for d in machines}

    def batch(of: list[Device], minute: float) -> list[Message]:
        # older than what a policy may have deleted, so that its floor is asked too
        return [message(d, items(minute - 200_000, minute), texts[d.pk]) for d in of]

    record_messages(messages=batch(machines[:1], -1))  # makes the rows of the counts
    one, _ = _queries(batch(machines[1:2], -2))
    many, got = _queries(batch(machines[2:], -2))
    assert got["reading:accepted"] == 22
    assert many == one
    late = RuleState.objects.values_list("late_from", flat=True)
    assert all(at is not None and at < f.NOW - f.minutes(200_000) for at in late)
    assert Wake.objects.count() == 0  # that comes after the commit


def test_one_machine_does_not_cost_the_others(device: Device) -> None:
    other_model = f.model()
    f.metric(other_model, "heat")
    others = [f.device(device.model), f.device(other_model), f.device(device.model)]
    keys_of = [key_of(d) for d in others]
    revoked = _revoked(device)
    sent = [
        message(others[0], items(0, 1), keys_of[0]),
        message(others[1], items(0), keys_of[1]),  # its model has no `noise`
        message(device, items(0), revoked),
        message(others[2], items(0) + items(1, value="x") + items(2), keys_of[2]),
        message(others[0], items(1, 2, 2), keys_of[0]),
    ]
    got = record_messages(messages=sent)
    assert got == {
        "message:taken": 4,
        "message:key_revoked": 1,
        "reading:accepted": 5,
        "reading:duplicate": 2,
        "reading:unknown_metric": 1,
        "reading:not_a_number": 1,
    }
    stored = Reading.objects.values_list("device").annotate(n=Count("pk"))
    assert dict(stored) == {others[0].pk: 3, others[2].pk: 2}
    for one in others:
        assert rebuild_rollups(device=one, repair=False)


def test_all_of_a_batch_or_nothing(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    other, key = f.device(device.model), key_of(device)
    sent = [message(device, items(0), key), message(other, items(0), key_of(other))]
    with monkeypatch.context() as patch:
        real = reading_rows.insert

        def then_away(**given: Any) -> Any:
            assert len(real(**given)) == 2
            raise OperationalError("server closed the connection")

        patch.setattr(reading_rows, "insert", then_away)
        with pytest.raises(OperationalError):
            record_messages(messages=sent)
    assert not Reading.objects.exists()
    assert counted() == {}


def test_metrics_tell_what_came(device: Device, client: Client) -> None:
    record_messages(messages=[message(device, b"junk"), message(device, items(0), key_of(device))])
    text = client.get("/metrics").content.decode()
    assert 'twinhealth_mqtt_messages_total{outcome="not_json"} 1.0' in text
    assert 'twinhealth_mqtt_messages_total{outcome="taken"} 1.0' in text
    assert 'twinhealth_mqtt_readings_total{outcome="accepted"} 1.0' in text


# --- the listener's own turns, without a network


class FakeClient:
    """What the listener asks of paho's client."""

    def __init__(self) -> None:
        self.acked: list[int] = []
        self.loops = 0
        self.on_loop: Callable[[], None] = lambda: None

    def ack_all(self, mids: list[int]) -> None:
        self.acked += mids

    def turn(self, seconds: float, full: Callable[[], bool]) -> int:
        self.loops += 1
        self.on_loop()
        return 0


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Listener:
    made = Listener(read_url("mqtt://localhost"))
    made.client = FakeClient()  # type: ignore[assignment]
    made.connected = True
    monkeypatch.setattr(mqtt_listener, "waits", lambda: lambda: 0.01)
    monkeypatch.setattr(mqtt_listener, "connection", SimpleNamespace(close=lambda: None))
    return made


def arrived(listener: Listener, *sent: Message) -> None:
    for mid, one in enumerate(sent, start=1):
        listener._take(Arrived(mid, one))


def test_acknowledged_after_the_commit(
    device: Device, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tries = mqtt_listener.record_messages, []

    def away_twice(*, messages: Any) -> Any:
        tries.append(list(listener.client.acked))  # type: ignore[attr-defined]
        if len(tries) <= 2:
            raise OperationalError("terminating connection")
        return real(messages=messages)

    monkeypatch.setattr(mqtt_listener, "record_messages", away_twice)
    key = key_of(device)
    arrived(listener, message(device, items(0), key), message(device, items(1), key))
    listener._store()
    assert tries == [[], [], []]
    assert listener.client.acked == [1, 2]  # type: ignore[attr-defined]
    assert Reading.objects.count() == 2
    assert listener.batch == []


def test_after_a_break_nothing_of_it_is_acknowledged(
    device: Device, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The packet's number may stand for another message by then."""

    def away(*, messages: Any) -> Any:
        raise OperationalError("terminating connection")

    monkeypatch.setattr(mqtt_listener, "record_messages", away)
    fake: Any = listener.client
    fake.on_loop = listener._forget
    arrived(listener, message(device, items(0), key_of(device)))
    listener._store()
    assert fake.acked == []


def test_one_message_that_cannot_be_stored_does_not_stop_the_others(
    device: Device, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = mqtt_listener.record_messages

    def fragile(*, messages: Any) -> Any:
        if any(b"poison" in m.payload for m in messages):
            raise ValueError("a defect of ours")
        return real(messages=messages)

    monkeypatch.setattr(mqtt_listener, "record_messages", fragile)
    key = key_of(device)
    poison = message(device, b'"poison"', key)
    arrived(listener, message(device, items(0), key), poison, message(device, items(1), key))
    listener._store()
    assert listener.client.acked == [1, 2, 3]  # type: ignore[attr-defined]
    assert counted()["message:internal_error"] == 1
    assert Reading.objects.count() == 2


def test_a_batch_is_as_large_as_can_be_stored_in_time(
    device: Device, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.count(0.0, 2.0)  # each look at it is two seconds later
    monkeypatch.setattr(mqtt_listener, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    key = key_of(device)
    arrived(listener, *(message(device, items(n), key) for n in range(400)))
    listener._store()
    assert listener.limit == 100
    monkeypatch.undo()
    for turn in range(6):
        arrived(listener, *(message(device, items(turn + n / 100), key) for n in range(100)))
        listener._store()
    assert listener.limit > 100


def test_an_empty_batch_is_not_full_however_old_the_last_one_is(listener: Listener) -> None:
    """Else what lies read in the client would never be taken out of it."""
    listener.since = -1e9
    assert not listener._full()


def test_nothing_is_read_while_there_is_no_room(listener: Listener) -> None:
    listener.bytes = mqtt_listener.BATCH_BYTES
    listener._sleep(0.05)
    assert listener.client.loops == 0  # type: ignore[attr-defined]
    listener.bytes = 0
    listener._sleep(0.05)
    assert listener.client.loops > 0  # type: ignore[attr-defined]


def test_waits_grow_and_end() -> None:
    wait = mqtt_listener.waits()
    found = [wait() for _ in range(12)]
    assert 0.5 <= found[0] <= 0.625
    assert all(b > a for a, b in itertools.pairwise(found[:7]))
    assert 30 <= found[-1] <= 37.5


# --- the address


def test_addresses() -> None:
    found = read_url("mqtt://u%40x:p%2Fw@broker:1884")
    assert (found.host, found.port, found.tls) == ("broker", 1884, False)
    assert (found.username, found.password) == ("u@x", "p/w")
    assert read_url("mqtts://broker").port == 8883
    assert read_url("mqtt://[::1]").host == "::1"


@pytest.mark.parametrize("url", ["", "broker", "http://b", "mqtt://", "mqtt://u:secret@h:port"])
def test_addresses_that_are_none(url: str, settings: Any) -> None:
    with pytest.raises(ImproperlyConfigured) as error:
        read_url(url)
    assert "secret" not in str(error.value)
    settings.MQTT_URL = url
    with pytest.raises(CommandError, match="MQTT_URL"):
        call_command("run_mqtt_ingest")


def test_the_last_use_is_noted(device: Device) -> None:
    key, text = keys.make(device=device, name="gateway", actor=f.user())
    record_messages(messages=[message(device, items(0), text)])
    key.refresh_from_db()
    assert key.last_used_at is not None
    assert key.last_used_at <= timezone.now()
