"""A machine's side of MQTT 5 with QoS 1, as little work as can be: bytes made before, sent as told.

It measures the door, not the sender: paho's client would need a core of its own for it.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from types import TracebackType
from typing import Self

CONNECT = 0x10
PUBLISH_QOS1 = 0x32
PUBACK = 4
WINDOW = 2_000  # messages sent ahead of the broker's acknowledgement


def _text(data: bytes) -> bytes:
    return struct.pack("!H", len(data)) + data


def _packet(first: int, body: bytes) -> bytes:
    length, number = bytearray(), len(body)
    while True:
        number, byte = divmod(number, 128)
        length.append(byte | (0x80 if number else 0))
        if not number:
            return bytes([first]) + bytes(length) + body


def publish(serial: str, key: str, mid: int, payload: bytes) -> bytes:
    """A PUBLISH with the machine's key as its user property."""
    properties = b"\x26" + _text(b"key") + _text(key.encode())
    topic = _text(f"twinhealth/{serial}/readings".encode())
    body = topic + struct.pack("!HB", mid, len(properties)) + properties + payload
    return _packet(PUBLISH_QOS1, body)


class Sender:
    """One connection; what the broker hasn't acknowledged when it breaks is sent again."""

    def __init__(self, port: int, name: bytes = b"bench-sender") -> None:
        self.port, self.name = port, name
        self.mid = 0
        self.waiting: dict[int, bytes] = {}  # by number, in the order sent
        self.lock = threading.Lock()
        self.link: socket.socket | None = None
        self.ended = False
        self.reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._connect()
        self.reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.ended = True
        if self.link is not None:
            with contextlib.suppress(OSError):
                self.link.shutdown(socket.SHUT_RDWR)
            self.link.close()
        self.reader.join(5)

    def send(self, serial: str, key: str, payload: bytes) -> None:
        """Send one; waits while too many are unanswered."""
        while len(self.waiting) >= WINDOW:
            time.sleep(0.001)
        with self.lock:
            self.mid = self.mid % 65_535 + 1
            packet = publish(serial, key, self.mid, payload)
            self.waiting[self.mid] = packet
            self._write(packet)

    def finish(self, seconds: float = 60.0) -> None:
        """Back when the broker has acknowledged all.

        Raises:
            TimeoutError: it has not.
        """
        until = time.monotonic() + seconds
        while self.waiting:
            if time.monotonic() > until:
                raise TimeoutError(f"{len(self.waiting)} messages unanswered")
            time.sleep(0.005)

    def _write(self, data: bytes) -> None:
        if self.link is not None:
            with contextlib.suppress(OSError):  # the reader connects again and sends it
                self.link.sendall(data)

    def _connect(self) -> None:
        # kept for an hour: the broker remembers which messages it has had
        header = _text(b"MQTT") + b"\x05\x00" + struct.pack("!H", 0)
        properties = b"\x11" + struct.pack("!I", 3600)
        body = header + bytes([len(properties)]) + properties + _text(self.name)
        link = socket.create_connection(("127.0.0.1", self.port), 5)
        link.settimeout(None)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link.sendall(_packet(CONNECT, body))
        head = link.recv(2, socket.MSG_WAITALL)
        answer = link.recv(head[1], socket.MSG_WAITALL)
        if answer[1] != 0:
            raise OSError(f"the broker refuses: {answer[1]}")
        self.link = link

    def _again(self) -> None:
        """After a break: connect and repeat what is unanswered, marked as sent before."""
        while not self.ended:
            try:
                with self.lock:
                    self._connect()
                    for packet in list(self.waiting.values()):
                        self._write(bytes([packet[0] | 0x08]) + packet[1:])
            except OSError:
                time.sleep(0.2)
            else:
                return

    def _read(self) -> None:
        data = b""
        while not self.ended:
            link = self.link
            try:
                piece = link.recv(65_536) if link is not None else b""
            except OSError:
                piece = b""
            if not piece:
                data = b""
                if not self.ended:
                    self.link = None
                    self._again()
                continue
            data = self._answers(data + piece)

    def _answers(self, data: bytes) -> bytes:
        """Take acknowledgements; what is left over."""
        at = 0
        while len(data) >= at + 2 and len(data) >= at + 2 + data[at + 1]:
            if data[at] >> 4 == PUBACK:
                self.waiting.pop(int.from_bytes(data[at + 2 : at + 4]), None)
            at += 2 + data[at + 1]
        return data[at:]
