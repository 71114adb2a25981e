"""Listens to a broker and stores what comes: nothing is acknowledged before it is committed.

One thread does it all in turn: read until a batch is full or old enough, store it, acknowledge it.
What was not acknowledged when a connection or this process ended comes again, and a reading that
comes again is the same reading. Acknowledgements belong to the connection on which the message
came; after a break the batch is dropped, since the broker sends it once more.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError, connection
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from devices.mqtt_client import BatchClient
from devices.mqtt_messages import MAX_BYTES, SUBSCRIPTION, Message
from devices.mqtt_packets import Arrived
from devices.services.mqtt import record_messages, refuse_message

log = structlog.get_logger(__name__)

BATCH_MESSAGES = 2_000  # what a transaction costs beside its rows is shared by so many
BATCH_BYTES = 16 * 1024**2
LEAST_MESSAGES = 50
FIRST_MESSAGES = 200  # until it is known how long one takes here
STORE_SECONDS = (
    0.5  # a batch is as large as can be stored in that time: the machines' rows are locked
)
BATCH_SECONDS = 0.05  # after its first message
QUIET_SECONDS = 0.005  # nothing more came for so long: the broker waits for us
PACKET_BYTES = 2 * MAX_BYTES  # a message above MAX_BYTES is refused by name
IN_FLIGHT = 2 * BATCH_MESSAGES  # messages that the broker sends ahead of our acknowledgement
SESSION_SECONDS = 7 * 86_400  # for which the broker keeps messages while nobody listens
KEEPALIVE_SECONDS = 120  # while a batch is stored nobody pings
CONNECT_SECONDS = 15.0
ALIVE_SECONDS = 10.0
LONGEST_WAIT = 30.0
AWAY = (OperationalError, InterfaceError)  # of the database


@dataclass(frozen=True, slots=True)
class Broker:
    """Where to listen."""

    host: str
    port: int
    tls: bool = False
    username: str = ""
    password: str = ""
    ca_file: str = ""
    client_id: str = "twinhealth"


def read_url(url: str, *, ca_file: str = "", client_id: str = "twinhealth") -> Broker:
    """`mqtt://user:password@host:1883`, `mqtts://` for TLS.

    Raises:
        ImproperlyConfigured: it is none; the text doesn't repeat it, for it holds a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
        raise ImproperlyConfigured("MQTT_URL is not of the form mqtt://user:password@host:1883.")
    tls = parts.scheme == "mqtts"
    return Broker(
        host=parts.hostname,
        port=port or (8883 if tls else 1883),
        tls=tls,
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        ca_file=ca_file,
        client_id=client_id,
    )


def waits() -> Callable[[], float]:
    """Seconds to wait before the next try: 0.5, 1, 2 … 30, each up to a quarter longer."""
    tries = [0]

    def following() -> float:
        tries[0] += 1
        return float(min(LONGEST_WAIT, 0.25 * 2 ** tries[0]) * random.uniform(1, 1.25))  # noqa: S311

    return following


class Listener:
    """One connection at a time, until `stop`.

    Args:
        broker: where.
        alive: a file that is touched while we are connected and the database takes what comes; a
            health check looks at its age.
    """

    def __init__(self, broker: Broker, alive: Path | None = None) -> None:
        self.broker = broker
        self.alive, self.touched = alive, 0.0
        self.stopping = False
        self.connected = False
        self.breaks = 0  # a batch belongs to the connection it came on
        self.batch: list[Arrived] = []
        self.bytes = 0
        self.limit = FIRST_MESSAGES  # messages of the next batch
        self.since = 0.0
        self.client = self._client()

    def stop(self) -> None:
        """Store and acknowledge what is there, then end."""
        self.stopping = True

    def run(self) -> None:
        """Listen; returns once stopped."""
        wait = waits()
        while not self.stopping:
            if self._connect():
                wait = waits()
                self._listen()
            if not self.stopping:
                self._sleep(wait())
        if self.connected:
            self.client.disconnect()

    def _client(self) -> BatchClient:
        broker = self.broker
        client = BatchClient(
            CallbackAPIVersion.VERSION2,
            client_id=broker.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            take=self._take,
            max_bytes=PACKET_BYTES,
        )
        if broker.username:
            client.username_pw_set(broker.username, broker.password)
        if broker.tls:
            client.tls_set(ca_certs=broker.ca_file or None)
        client.connect_timeout = CONNECT_SECONDS
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        return client

    # --- called by the client inside `turn`

    def _on_connect(
        self, client: Client, data: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        if reason.is_failure:
            log.warning("mqtt_connection_refused", problem=str(reason))
            return
        self.connected = True
        # 1: what the broker remembers is sent to a new subscription only, and refused there
        options = SubscribeOptions(qos=1, retainHandling=1)
        client.subscribe(SUBSCRIPTION, options=options)
        log.info("mqtt_connected", session_resumed=bool(flags.session_present))

    def _on_disconnect(
        self, client: Client, data: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        self._forget()
        if not self.stopping:
            log.warning("mqtt_connection_lost", problem=str(reason))

    def _take(self, arrived: Arrived) -> None:
        if not self.batch:
            self.since = time.monotonic()
        self.batch.append(arrived)
        self.bytes += len(arrived.message.payload)

    # --- our own turns

    def _forget(self) -> None:
        self.connected = False
        self.breaks += 1
        self.batch, self.bytes = [], 0

    def _connect(self) -> bool:
        """True once the broker has accepted us."""
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = SESSION_SECONDS
        properties.ReceiveMaximum = IN_FLIGHT
        properties.MaximumPacketSize = PACKET_BYTES
        try:
            self.client.connect(
                self.broker.host,
                self.broker.port,
                keepalive=KEEPALIVE_SECONDS,
                clean_start=False,
                properties=properties,
            )
        except (OSError, ValueError) as error:
            log.warning("mqtt_unreachable", host=self.broker.host, problem=str(error)[:200])
            return False
        until = time.monotonic() + CONNECT_SECONDS
        while not self.connected and not self.stopping and time.monotonic() < until:
            if not self._turn(0.2, lambda: self.connected):
                break
        return self.connected

    def _turn(self, seconds: float, full: Callable[[], bool]) -> bool:
        """Let the client read; False where the connection has ended, and with it the batch."""
        if self.client.turn(seconds, full) == MQTTErrorCode.MQTT_ERR_SUCCESS:
            return True
        self._forget()
        return False

    def _show_life(self) -> None:
        if self.alive is not None and time.monotonic() - self.touched >= ALIVE_SECONDS:
            self.touched = time.monotonic()
            self.alive.touch()

    def _listen(self) -> None:
        """Until the connection breaks or we are stopped."""
        while self.connected and not self.stopping:
            self._show_life()
            before = len(self.batch)
            self._turn(QUIET_SECONDS if before else 0.5, self._full)
            if self.batch and (len(self.batch) == before or self._full()):
                self._store()
        if self.connected and self.batch:
            self._store()

    def _full(self) -> bool:
        return bool(self.batch) and (
            len(self.batch) >= self.limit
            or self.bytes >= BATCH_BYTES
            or time.monotonic() - self.since >= BATCH_SECONDS
        )

    def _store(self) -> None:
        """Commit the batch, then acknowledge it; while the database is away, wait for it."""
        taken, self.batch, self.bytes = self.batch, [], 0
        breaks, wait = self.breaks, waits()
        while True:
            started = time.monotonic()
            try:
                self._record([arrived.message for arrived in taken])
                break
            except AWAY as error:
                log.warning("mqtt_database_away", messages=len(taken), problem=str(error)[:200])
                connection.close()
                self._sleep(wait())
            if self.stopping or breaks != self.breaks:
                return  # not acknowledged: the broker sends it again
        each = max(time.monotonic() - started, 1e-6) / len(taken)
        fitting = max(LEAST_MESSAGES, STORE_SECONDS / each)
        self.limit = round(min(BATCH_MESSAGES, 2 * self.limit, fitting))
        if breaks == self.breaks:
            self.client.ack_all([arrived.mid for arrived in taken if arrived.mid])

    def _record(self, messages: list[Message]) -> None:
        """One message that can't be stored must not hold up the others, nor come for ever."""
        try:
            record_messages(messages=messages)
        except AWAY:
            raise
        except Exception:
            log.exception("mqtt_batch_failed", messages=len(messages))
            if len(messages) == 1:
                refuse_message(message=messages[0], code="internal_error")
                return
            half = len(messages) // 2
            self._record(messages[:half])
            self._record(messages[half:])

    def _sleep(self, seconds: float) -> None:
        """Wait, and keep the connection alive as long as there is room for what it brings."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self.stopping:
            if self.connected and self._room():
                self._turn(min(left, 0.2), lambda: not self._room())
            else:
                time.sleep(min(left, 0.2))

    def _room(self) -> bool:
        return self.bytes < BATCH_BYTES
