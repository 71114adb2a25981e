"""What goes over the pipes: a length-prefixed JSON object, then raw bytes. Nothing is unpickled."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

PREFIX = struct.Struct(">IQ")  # length of the JSON text, length of the bytes after it
MAX_JSON = 4 * 1024**2

Read = Callable[[int], "bytes | bytearray"]


class ProtocolError(Exception):
    """The other side talks nonsense; it can't be trusted further."""


def pack(head: dict[str, Any], body_size: int = 0) -> bytes:
    """Everything before the raw bytes."""
    text = json.dumps(head, allow_nan=False).encode()
    return PREFIX.pack(len(text), body_size) + text


def unpack(read: Read, *, max_body: int) -> tuple[dict[str, Any], bytes | bytearray]:
    """Read one message.

    Args:
        read: gives exactly that many bytes, or raises.
        max_body: more raw bytes than this is nonsense.

    Raises:
        ProtocolError: sizes or JSON make no sense.
    """
    json_size, body_size = PREFIX.unpack(read(PREFIX.size))
    if json_size > MAX_JSON or body_size > max_body:
        msg = f"message of {json_size} + {body_size} bytes"
        raise ProtocolError(msg)
    try:
        head = json.loads(bytes(read(json_size)))
    except ValueError as error:
        msg = "not JSON"
        raise ProtocolError(msg) from error
    if not isinstance(head, dict):
        msg = "not an object"
        raise ProtocolError(msg)
    return head, read(body_size) if body_size else b""
