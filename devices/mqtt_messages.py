"""One MQTT message: whose topic it came on, whose key it has, and its readings. Pure.

Topic `twinhealth/<serial>/readings`; a serial with `/`, `+`, `#` or `%` stands there
percent-encoded. The payload is the JSON of the REST call, a list, with the machine's key in the
MQTT 5 user property `key`; or, for senders that know 3.1.1 only, `{"key": …, "readings": […]}`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from twinhealth.errors import InvalidInputError, NotPermittedError, TooLargeError

SUBSCRIPTION = "twinhealth/+/readings"
MAX_BYTES = 4 * 1024**2  # of one message; 10,000 readings take a third of it


@dataclass(frozen=True, slots=True)
class Message:
    """As it came; nothing of it is trusted."""

    topic: str
    payload: bytes
    retained: bool = False
    key: str = ""  # user property


@dataclass(frozen=True, slots=True)
class Opened:
    """What a message says: `key` empty where it has none."""

    level: str  # the topic's middle, as it stands there
    key: str
    readings: list[Any]


def open_message(message: Message) -> Opened:
    """Take it apart.

    Raises:
        InvalidInputError: `retained`, `bad_topic`, `not_json`, `list_expected`.
        TooLargeError: `too_large`.
    """
    if message.retained:
        raise InvalidInputError("retained", "The broker's memory of a message is no sending.")
    parts = message.topic.split("/")
    if len(parts) != 3 or (parts[0], parts[2]) != ("twinhealth", "readings") or not parts[1]:
        raise InvalidInputError("bad_topic", "The topic is twinhealth/<serial>/readings.")
    if len(message.payload) > MAX_BYTES:
        raise TooLargeError("too_large", "The message is too large.", max_bytes=MAX_BYTES)
    try:
        data = json.loads(message.payload)
    except (ValueError, RecursionError):
        raise InvalidInputError("not_json", "The payload isn't JSON.") from None
    key: Any = message.key
    if isinstance(data, dict):
        key, data = data.get("key", key), data.get("readings")
    if not isinstance(data, list):
        raise InvalidInputError("list_expected", "Send a list of readings.")
    return Opened(parts[1], key if isinstance(key, str) else "", data)


def check_topic(level: str, serial: str) -> None:
    """The topic names the machine that the key belongs to.

    Raises:
        NotPermittedError: `wrong_device`.
    """
    if level not in {serial, quote(serial, safe="")}:
        raise NotPermittedError("wrong_device", "The key belongs to another machine than the topic")


def serials(level: str) -> Sequence[str]:
    """Which serials a topic's middle may mean; none has NUL, which no database takes."""
    return [text for text in (level, unquote(level)) if "\0" not in text]
