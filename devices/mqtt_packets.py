"""MQTT 5 as bytes: the packets that come and go thousands of times a second. Pure.

Everything else of the protocol is paho's. Numbers in brackets are sections of the OASIS standard,
MQTT Version 5.0 (7 March 2019).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from devices.mqtt_messages import Message

PUBLISH = 0x30
_PUBACK = 0x40
_KEY = b"key"  # name of the user property that holds a machine's key
_USER_PROPERTY = 0x26
# bytes of a PUBLISH's other properties [3.3.2.3]: fixed, or 2 of length first, or a varint
_FIXED = {0x01: 1, 0x02: 4, 0x23: 2}
_SIZED = frozenset({0x03, 0x08, 0x09})
_VARINT = 0x0B


class PacketError(ValueError):
    """These bytes are no packet of MQTT."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message and what its acknowledgement needs; `mid` is 0 with QoS 0."""

    mid: int
    message: Message


def varint(data: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """A variable byte integer [1.5.5]: the number and where it ends, `None` where bytes miss.

    Raises:
        PacketError: longer than four bytes.
    """
    number = 0
    for place in range(4):
        if at + place >= len(data):
            return None
        byte = data[at + place]
        number |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return number, at + place + 1
    raise PacketError("length of more than four bytes")


def frame(data: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """Where the body of the packet that begins at `at` begins and ends; `None`: not known yet.

    The end may lie beyond what has come.

    Raises:
        PacketError: no length.
    """
    found = varint(data, at + 1)
    return None if found is None else (found[1], found[1] + found[0])


def read_publish(first: int, body: bytes | bytearray) -> Arrived:
    """A PUBLISH [3.3]; what is wrong inside it becomes a message that will be refused by name.

    To end the connection for it would not help: the broker would send it again.

    Args:
        first: the packet's first byte.
        body: all that follows its length.

    Raises:
        PacketError: not even topic and number can be read.
    """
    end = 2 + int.from_bytes(body[:2])
    qos = first >> 1 & 3
    start = end + (2 if qos else 0)
    if len(body) < max(start, 2):
        raise PacketError("a message that ends early")
    try:
        topic = body[2:end].decode()
    except UnicodeDecodeError:
        topic = ""
    try:
        key, payload = _key_and_payload(body, start)
    except (PacketError, IndexError):
        key, payload = "", b""
    message = Message(topic=topic, payload=payload, retained=bool(first & 1), key=key)
    return Arrived(int.from_bytes(body[end:start]), message)


def _key_and_payload(body: bytes | bytearray, start: int) -> tuple[str, bytes]:
    found = varint(body, start)
    if found is None or sum(found) > len(body):
        raise PacketError("properties that end early")
    length, at = found
    end = at + length
    key: str | None = None
    while at < end:
        kind = body[at]
        at += 1
        if kind == _USER_PROPERTY:
            name, at = _sized(body, at)
            value, at = _sized(body, at)
            if name == _KEY and key is None:
                key = value.decode(errors="replace")
        elif kind in _SIZED:
            _, at = _sized(body, at)
        elif kind in _FIXED:
            at += _FIXED[kind]
        elif kind == _VARINT and (number := varint(body, at)):
            at = number[1]
        else:
            raise PacketError("no property of a message")
    if at != end:
        raise PacketError("properties longer than they say")
    return key or "", bytes(body[end:])


def _sized(body: bytes | bytearray, at: int) -> tuple[bytes, int]:
    start = at + 2
    end = start + int.from_bytes(body[at:start])
    return bytes(body[start:end]), end


def acknowledgements(mids: Iterable[int]) -> bytes:
    """PUBACK [3.4] of each, success, one after the other."""
    return b"".join(bytes((_PUBACK, 2)) + mid.to_bytes(2) for mid in mids)
