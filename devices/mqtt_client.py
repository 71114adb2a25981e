"""Paho's client, reading and acknowledging many messages at once.

Paho asks the kernel five times for each message and builds a table of all properties for it, which
cost more than to store it (docs/decisions/0028-mqtt-many-at-once.md). Here bytes are read in large
pieces, messages are taken out of them by `devices.mqtt_packets`, and all other packets are left to
paho, as are connecting, TLS, keep-alive and writing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode

from devices.mqtt_packets import (
    PUBLISH,
    Arrived,
    PacketError,
    acknowledgements,
    frame,
    read_publish,
)

READ_BYTES = 256 * 1024
_OK = MQTTErrorCode.MQTT_ERR_SUCCESS


class BatchClient(Client):
    """Messages go to `take`, not to `on_message`; the caller acknowledges with `ack_all`.

    Args:
        take: is given each message inside `turn`.
        max_bytes: of one packet; the broker was told so and a longer one ends the connection.
        options: of paho's client.
    """

    def __init__(
        self, *args: Any, take: Callable[[Arrived], None], max_bytes: int, **options: Any
    ) -> None:
        super().__init__(*args, **{**options, "manual_ack": True})
        self._take, self._max_bytes = take, max_bytes
        self._ahead, self._at = bytearray(), 0  # read from the network, and how far it is used

    def connect(self, *args: Any, **options: Any) -> MQTTErrorCode:
        """As paho's; what an earlier connection left half read is thrown away."""
        self._ahead, self._at = bytearray(), 0
        return super().connect(*args, **options)

    def turn(self, seconds: float, full: Callable[[], bool]) -> MQTTErrorCode:
        """Wait up to `seconds` for something to come, then take what is there until `full` says so.

        Returns:
            anything but success: the connection has ended.
        """
        code = self.loop(0 if self._whole() else seconds)
        while code == _OK and self._whole() and not full():
            code = self.loop_read()
        return code

    def ack_all(self, mids: list[int]) -> None:
        """Acknowledge messages of this connection, in one write."""
        if mids:
            self._packet_queue(0x40, acknowledgements(mids), 0, 0)

    # --- what paho calls

    def _whole(self) -> bool:
        """Whether a whole packet lies here; the socket wouldn't wake anybody for it."""
        if self._in_packet["command"]:
            return self._at < len(self._ahead)
        try:
            found = frame(self._ahead, self._at)
        except PacketError:
            return True  # to be read, and refused
        return found is not None and found[1] <= len(self._ahead)

    def _sock_recv(self, bufsize: int) -> bytes:
        if self._at == len(self._ahead):
            self._fill()
        found = bytes(self._ahead[self._at : self._at + bufsize])
        self._at += len(found)
        return found

    def _fill(self) -> int:
        """Read a piece; how long it is, 0 at the connection's end."""
        del self._ahead[: self._at]
        self._at = 0
        piece = super()._sock_recv(READ_BYTES)
        self._ahead += piece
        return len(piece)

    def _packet_read(self) -> MQTTErrorCode:
        """One packet: a message by ourselves, anything else in paho's own way."""
        if self._in_packet["command"]:  # paho has begun to read one
            return super()._packet_read()
        try:
            if not self._whole() and not self._fill():
                return MQTTErrorCode.MQTT_ERR_CONN_LOST
            message = self._ahead[self._at] & 0xF0 == PUBLISH
            return self._message() if message else super()._packet_read()
        except OSError as error:
            again = isinstance(error, BlockingIOError)
            return MQTTErrorCode.MQTT_ERR_AGAIN if again else MQTTErrorCode.MQTT_ERR_CONN_LOST
        except PacketError:
            return MQTTErrorCode.MQTT_ERR_PROTOCOL

    def _message(self) -> MQTTErrorCode:
        found = frame(self._ahead, self._at)
        if found is None:
            return MQTTErrorCode.MQTT_ERR_AGAIN
        start, end = found
        if end - self._at > self._max_bytes:
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        if end > len(self._ahead):
            return MQTTErrorCode.MQTT_ERR_AGAIN
        arrived = read_publish(self._ahead[self._at], self._ahead[start:end])
        self._at = end
        self._take(arrived)
        return _OK
