"""Bytes of MQTT, compared with what paho makes of the same."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from paho.mqtt import _packet
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from devices.mqtt_client import BatchClient
from devices.mqtt_messages import Message
from devices.mqtt_packets import (
    Arrived,
    PacketError,
    acknowledgements,
    frame,
    read_publish,
    varint,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
NAMES = st.one_of(st.just("key"), TEXT)
MAX = 100_000


def length(number: int) -> bytes:
    found = bytearray()
    while True:
        number, byte = divmod(number, 128)
        found.append(byte | (0x80 if number else 0))
        if not number:
            return bytes(found)


def text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return len(data).to_bytes(2) + data


def properties(pairs: list[tuple[str, str]], **others: Any) -> bytes:
    made = Properties(PacketTypes.PUBLISH)
    for name, value in others.items():
        setattr(made, name, value)
    for pair in pairs:
        made.UserProperty = pair
    return bytes(made.pack())


def packet(
    body: bytes, *, topic: str | bytes = "twinhealth/a/readings", mid: int = 7, first: int = 0x32,
    given: bytes = b"\0",
) -> bytes:  # fmt: skip
    rest = text(topic) + (mid.to_bytes(2) if first & 6 else b"") + given + body
    return bytes([first]) + length(len(rest)) + rest


def opened(data: bytes) -> Arrived:
    found = frame(data, 0)
    assert found is not None
    assert found[1] == len(data)
    return read_publish(data[0], data[found[0] :])


def test_the_first_key_counts_though_it_is_empty() -> None:
    assert opened(packet(b"", given=properties([("key", ""), ("key", "0")]))).message.key == ""


@given(
    topic=TEXT,
    payload=st.binary(max_size=300),
    mid=st.integers(1, 65_535),
    pairs=st.lists(st.tuples(NAMES, TEXT), max_size=4),
    qos=st.sampled_from([0, 1]),
    retained=st.booleans(),
    more=st.fixed_dictionaries(
        {},
        optional={
            "PayloadFormatIndicator": st.integers(0, 1),
            "MessageExpiryInterval": st.integers(0, 2**32 - 1),
            "ContentType": TEXT,
            "ResponseTopic": TEXT,
            "CorrelationData": st.binary(max_size=20),
            "SubscriptionIdentifier": st.integers(1, 268_435_455),
            "TopicAlias": st.integers(1, 65_535),
        },
    ),
)
def test_the_same_as_paho(
    topic: str,
    payload: bytes,
    mid: int,
    pairs: list[tuple[str, str]],
    qos: int,
    retained: bool,
    more: dict[str, Any],
) -> None:
    first = 0x30 | qos << 1 | retained
    data = packet(payload, topic=topic, mid=mid, first=first, given=properties(pairs, **more))
    arrived = opened(data)
    start = frame(data, 0)
    assert start is not None
    paho = _packet.decode_publish(data[0], data[start[0] :], MQTTProtocolVersion.MQTTv5)
    assert arrived.mid == paho.mid == (mid if qos else 0)
    assert arrived.message == Message(
        topic=paho.topic.decode(),
        payload=bytes(paho.payload),
        retained=paho.retain,
        key=next((value for name, value in pairs if name == "key"), ""),
    )


@given(st.binary(max_size=200), st.sampled_from([0x30, 0x32, 0x33]))
@example(b"", 0x32)
@example(b"\0\1a\0\7\x05\x26\xff\xff\xff\xff", 0x32)
def test_any_bytes_are_a_message_or_refused(body: bytes, first: int) -> None:
    try:
        arrived = read_publish(first, body)
    except PacketError:
        return
    assert len(arrived.message.payload) <= len(body)


@pytest.mark.parametrize(
    ("given", "key", "payload"),
    [
        (b"\x7f", "", b""),  # longer than the packet
        (b"\x02\x99\0", "", b""),  # no such property
        (b"\x07\x26\0\3key\xff\xff", "", b""),  # a value longer than all
        (b"\x09\x26\0\3key\0\1\xff", "\ufffd", b"[]"),  # no UTF-8
        (properties([("other", "x"), ("key", "a"), ("key", "b")]), "a", b"[]"),
    ],
)
def test_broken_inside_is_refused_by_name_and_acknowledged(
    given: bytes, key: str, payload: bytes
) -> None:
    """An end of the connection would bring the same message again, for ever."""
    arrived = opened(packet(b"[]", given=given))
    assert (arrived.mid, arrived.message.key, arrived.message.payload) == (7, key, payload)


def test_a_topic_that_is_no_text() -> None:
    assert opened(packet(b"[]", topic=b"twinhealth/\xff/readings")).message.topic == ""


def test_lengths() -> None:
    for number in (0, 127, 128, 16_383, 16_384, 268_435_455):
        data = length(number)
        assert varint(data, 0) == (number, len(data))
        assert all(varint(data[:n], 0) is None for n in range(len(data)))
    with pytest.raises(PacketError):
        varint(b"\xff\xff\xff\xff\x01", 0)


def test_acknowledgements_are_pubacks() -> None:
    assert acknowledgements([1, 258]) == b"\x40\x02\x00\x01\x40\x02\x01\x02"


# --- the client over a socket, without a broker

CONNACK = b"\x20\x03\x00\x00\x00"


class Wire:
    """A client that is connected to us."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.got: list[Arrived] = []
        self.client = BatchClient(
            CallbackAPIVersion.VERSION2,
            client_id="t",
            protocol=MQTTProtocolVersion.MQTTv5,
            take=self.got.append,
            max_bytes=MAX,
        )
        self.client.connect("127.0.0.1", self.server.getsockname()[1])
        self.link, _ = self.server.accept()
        self.link.settimeout(10)
        assert self.link.recv(1000)[0] == 0x10
        self.link.sendall(CONNACK)
        while not self.client.is_connected():
            assert self.turn() == MQTTErrorCode.MQTT_ERR_SUCCESS

    def turn(self, most: int = 10**9) -> int:
        return self.client.turn(0.05, lambda: len(self.got) >= most)

    def until(self, number: int) -> None:
        for _ in range(1_000):
            if len(self.got) >= number:
                return
            assert self.turn(number) == MQTTErrorCode.MQTT_ERR_SUCCESS
        raise AssertionError(f"{len(self.got)} of {number} came")

    def close(self) -> None:
        self.client.disconnect()
        self.link.close()
        self.server.close()


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.close()


def messages(count: int) -> list[bytes]:
    key = properties([("key", "k")])
    return [packet(str(n).encode() * 9, mid=n, given=key) for n in range(1, count + 1)]


def test_in_pieces_of_any_size_and_between_other_packets(wire: Wire) -> None:
    pingresp = b"\xd0\x00"
    data = pingresp.join(messages(40))
    for start in range(0, len(data), 7):
        wire.link.sendall(data[start : start + 7])
        wire.turn()
    wire.until(40)
    assert [a.mid for a in wire.got] == list(range(1, 41))
    assert {a.message.key for a in wire.got} == {"k"}


def test_full_stops_it_and_what_lies_here_comes_without_waiting(wire: Wire) -> None:
    wire.link.sendall(b"".join(messages(500)))
    wire.until(100)
    assert len(wire.got) == 100
    wire.until(500)
    assert [a.mid for a in wire.got] == list(range(1, 501))


def test_all_acknowledgements_in_one(wire: Wire) -> None:
    wire.client.ack_all([1, 2, 3])
    wire.client.ack_all([])
    assert wire.link.recv(1000) == acknowledgements([1, 2, 3])


def test_a_large_message_in_many_pieces(wire: Wire) -> None:
    wire.link.sendall(packet(b"x" * (MAX - 1_000)))
    wire.until(1)
    assert len(wire.got[0].message.payload) == MAX - 1_000


@pytest.mark.parametrize(
    "data",
    [packet(b"x" * (MAX + 1)), b"\x32\xff\xff\xff\xff\x01", b"\x32\x01\x00", b"\xff\x00"],
    ids=["too long", "length of five bytes", "no topic", "no such packet"],
)
def test_what_ends_the_connection(wire: Wire, data: bytes) -> None:
    wire.link.sendall(data)
    for _ in range(200):
        if wire.turn() != MQTTErrorCode.MQTT_ERR_SUCCESS:
            break
    else:
        raise AssertionError("it went on")
    assert wire.got == []


def test_half_a_message_of_an_earlier_connection_is_forgotten(wire: Wire) -> None:
    wire.link.sendall(messages(1)[0][:-3])
    wire.turn()
    wire.link.close()
    while wire.turn() == MQTTErrorCode.MQTT_ERR_SUCCESS:
        pass
    wire.client.connect("127.0.0.1", wire.server.getsockname()[1])
    wire.link, _ = wire.server.accept()
    wire.link.sendall(CONNACK + messages(2)[1])
    wire.until(1)
    assert [a.mid for a in wire.got] == [2]
