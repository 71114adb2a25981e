"""JSON from outside: bounded, and only text that can be stored and sent back."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from twinhealth.errors import TooLargeError


class BoundedJSONParser(JSONParser):
    """DRF's parser with what it lacks: a cap, an end to nesting, and Unicode only.

    Half of a surrogate pair is legal JSON, but no database and no answer can hold it.
    """

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The document.

        Raises:
            TooLargeError: `too_large`, above DATA_UPLOAD_MAX_MEMORY_SIZE.
            ParseError: not JSON, nested too deep, or text that isn't Unicode.
        """
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise TooLargeError("too_large", "The request is too large.", max_bytes=limit)
        try:
            data = super().parse(io.BytesIO(body), media_type, parser_context)
        except RecursionError:
            raise ParseError("JSON parse error - nested too deep") from None
        if b"\\u" in body and _has_surrogate(data):
            raise ParseError("JSON parse error - half of a surrogate pair")
        return data


def _has_surrogate(data: Any) -> bool:
    todo = [data]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            if any("\ud800" <= letter <= "\udfff" for letter in item):
                return True
        elif isinstance(item, dict):
            todo += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            todo += item
    return False
