"""The MQTT door with a real broker, listener and database, any of which may go away in mid-batch.

Every reading is stored once and counted once, whatever happens: that is the one promise.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from scripts.servers import Mosquitto, mosquitto_program, postgres_programs
from tests.migrated import fresh_database
from tests.processes import Hospital, OwnPostgres, kill_group, wait_for

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(mosquitto_program() is None, reason="mosquitto isn't installed"),
]
START = datetime(2026, 3, 1, tzinfo=UTC)
MAKE = """
from tests.devices import factories as f
from devices.services import keys
model = f.model()
f.metric(model, "noise")
for serial in ("SN-1", "SN-2"):
    device = f.device(model, serial=serial)
    print("KEY", keys.make(device=device, name="gateway", actor=f.user())[1])
"""


def body(number: int) -> list[dict[str, Any]]:
    at = (START + timedelta(seconds=number)).isoformat()
    return [{"metric": "noise", "value": number, "unit": "1", "measured_at": at}]


class Door:
    """A hospital with two machines, a broker, and a sender."""

    def __init__(self, folder: Path, database_url: str | None) -> None:
        self.broker = Mosquitto(folder / "broker")
        self.broker.start()
        (folder / "data").mkdir()
        self.hospital = Hospital(
            folder / "data",
            database_url=database_url,
            environment={"MQTT_URL": self.broker.url, "LOG_LEVEL": "INFO"},
        )
        self.hospital.make_tables()
        lines = self.hospital.manage("shell", "-c", MAKE).splitlines()
        self.keys = [line.split()[1] for line in lines if line.startswith("KEY")]
        self.senders: list[Client] = []
        self.listener: Any = None

    def listen(self) -> None:
        """Start the listener; back when it has subscribed."""
        before = self.hospital.log("mqtt").count("mqtt_connected")
        self.listener = self.hospital.start("mqtt", sys.executable, "manage.py", "run_mqtt_ingest")
        wait_for(
            lambda: self.hospital.log("mqtt").count("mqtt_connected") > before,
            what=f"listener: {self.hospital.log('mqtt')[-2000:]}",
        )

    def sender(self) -> Client:
        """A machine's MQTT 5 client that connects again by itself and repeats what is unanswered."""
        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        client.reconnect_delay_set(1, 1)
        client.max_inflight_messages_set(200)
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 3600
        client.connect("127.0.0.1", self.broker.port, clean_start=False, properties=properties)
        client.loop_start()
        self.senders.append(client)
        return client

    def send(
        self, client: Client, data: Any, *, serial: str = "SN-1", key: str = "", **options: Any
    ) -> Any:
        payload = data if isinstance(data, bytes) else json.dumps(data).encode()
        properties = Properties(PacketTypes.PUBLISH)
        properties.UserProperty = ("key", key or self.keys[0])
        topic = options.pop("topic", f"twinhealth/{serial}/readings")
        qos = options.pop("qos", 1)
        return client.publish(topic, payload, qos=qos, properties=properties, **options)

    def stored(self) -> int:
        return int(self.hospital.query("SELECT count(*) FROM devices_reading")[0][0])

    def counted(self) -> dict[str, int]:
        return dict(self.hospital.query("SELECT outcome, count FROM devices_mqttcount"))

    def end(self) -> None:
        for client in self.senders:
            client.disconnect()
            client.loop_stop()
        self.hospital.end()
        self.broker.stop()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    server = os.environ.get("TEST_DATABASE_URL")
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(fresh_database(server)) if server else None
        made = Door(tmp_path, database)
        stack.callback(made.end)
        yield made


def test_readings_come_in_and_junk_does_not(door: Door) -> None:
    one, two = door.keys
    heard: list[bytes] = []
    junk = door.sender()
    # the shipped list of the broker: without the listener's password nobody reads what holds keys
    junk.on_message = lambda client, data, message: heard.append(message.payload)
    junk.subscribe("#", qos=1)
    junk.subscribe("twinhealth/+/readings", qos=1)
    # before anybody listens: the broker remembers these and hands them to the first subscription
    for serial in ("SN-1", "SN-2"):
        door.send(junk, body(900), serial=serial, retain=True).wait_for_publish(10)
    door.listen()
    wait_for(lambda: door.counted().get("message:retained") == 2, what="retained ones refused")
    assert (door.hospital.folder / "mqtt-listener.alive").exists()
    assert door.stored() == 0

    sender = door.sender()
    door.send(sender, body(1))
    door.send(sender, {"key": one, "readings": body(2)})
    door.send(sender, body(3), serial="SN-2", key=two)
    door.send(sender, body(1))  # again
    door.send(sender, body(4), key=two)  # another machine's topic
    door.send(sender, body(4), serial="SN-2")
    door.send(sender, body(4), serial="nobody")
    door.send(sender, body(4), serial="$SYS")
    door.send(sender, body(4), serial="x" * 65_000)
    door.send(sender, body(4), key="x")
    door.send(sender, b"\xff\x00")
    door.send(sender, b"[" * 100_000)
    door.send(sender, b" " * (5 * 1024**2))
    door.send(sender, body(5) * 10_001)
    for topic in ("twinhealth/+/readings", "twinhealth/#", "#"):  # the protocol's own refusal
        with pytest.raises(ValueError, match="wildcards"):
            door.send(sender, body(4), topic=topic)
    # topics that the broker's list forbids
    for topic in ("twinhealth/SN-1/readings/x", "twinhealth/SN-1", "twinhealth/a/b/readings"):
        door.send(junk, body(4), topic=topic, qos=0)
    door.send(sender, body(6)).wait_for_publish(20)
    wait_for(lambda: door.stored() == 4, what=f"four stored: {door.counted()}")
    wait_for(lambda: door.counted().get("message:too_many_readings") == 1, what="all counted")
    assert door.counted() == {
        "message:retained": 2,
        "message:taken": 5,
        "message:wrong_device": 5,
        "message:key_unknown": 1,
        "message:not_json": 2,
        "message:too_large": 1,
        "message:too_many_readings": 1,
        "reading:accepted": 4,
        "reading:duplicate": 1,
    }
    assert door.listener.poll() is None
    assert heard == []
    log = door.hospital.log("mqtt")
    assert "Traceback" not in log
    assert not [key for key in door.keys if key.split("_", 2)[2] in log]


def _send_slowly(door: Door, numbers: range, pause: float = 0.002) -> list[Any]:
    client = door.senders[0] if door.senders else door.sender()
    sent = []
    for number in numbers:
        sent.append(door.send(client, body(number)))
        time.sleep(pause)
    return sent


def _all_once(door: Door, count: int) -> None:
    wait_for(
        lambda: door.stored() == count,
        seconds=60,
        what=f"{count} stored: {door.stored()}, {door.counted()}, {door.hospital.log('mqtt')[-3000:]}",
    )
    got = door.counted()
    assert got["reading:accepted"] == count
    assert {o for o in got if o.startswith("message:")} == {"message:taken"}
    values = door.hospital.query("SELECT count(DISTINCT value) FROM devices_reading")
    assert values == [(count,)]


def test_broker_and_listener_end_in_mid_batch(door: Door) -> None:
    door.listen()
    for part in range(3):  # the broker, as a service is restarted
        _send_slowly(door, range(part * 300, part * 300 + 250), pause=0.0005)
        door.broker.stop()
        _send_slowly(door, range(part * 300 + 250, part * 300 + 300))
        door.broker.start()
        _all_once(door, part * 300 + 300)
    assert door.hospital.log("mqtt").count("mqtt_connection_lost") >= 3
    wait_for(
        lambda: door.hospital.log("mqtt").count('"session_resumed": true') >= 3, what="resumed"
    )

    sent = []
    for part in range(3, 6):  # the listener, by kill -9
        sent += _send_slowly(door, range(part * 300, part * 300 + 300), pause=0.0005)
        kill_group(door.listener)
        sent += _send_slowly(door, range(5_000 + part * 50, 5_050 + part * 50), pause=0)
        door.listen()
    sent[-1].wait_for_publish(30)
    _all_once(door, 900 + 3 * 350)

    sent = _send_slowly(door, range(6_000, 6_200), pause=0)
    sent[-1].wait_for_publish(30)
    door.listener.terminate()  # politely: what it has is stored first
    assert door.listener.wait(20) == 0
    door.listen()
    _all_once(door, 900 + 3 * 350 + 200)


@pytest.mark.skipif(
    not os.environ.get("TEST_DATABASE_URL") or postgres_programs() is None,
    reason="PostgreSQL isn't installed here",
)
def test_the_database_goes_away_in_mid_batch(tmp_path: Path) -> None:
    postgres = OwnPostgres()
    with contextlib.ExitStack() as stack:
        stack.callback(postgres.remove)
        postgres.start()
        door = Door(tmp_path, postgres.url)
        stack.callback(door.end)
        door.listen()
        for part in range(3):
            sent = _send_slowly(door, range(part * 300, part * 300 + 200))
            postgres.stop()
            sent += _send_slowly(door, range(part * 300 + 200, part * 300 + 300))
            postgres.start()
            _cut_sessions(postgres.url)
            sent[-1].wait_for_publish(30)
        _all_once(door, 900)
        assert "mqtt_database_away" in door.hospital.log("mqtt")
        assert door.listener.poll() is None


def _cut_sessions(url: str) -> None:
    """End every other session at once, as a fail-over does."""
    with contextlib.closing(psycopg2.connect(url)) as link, link.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
