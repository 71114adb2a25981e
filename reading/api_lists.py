"""What the REST lists of this room share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from twinhealth.errors import InvalidInputError

PAGES: Final = (
    OpenApiParameter("page", OpenApiTypes.INT),
    OpenApiParameter("page_size", OpenApiTypes.INT),
)


def chosen(request: Request, name: str, allowed: Sequence[str]) -> str:
    """A filter of the address, empty without one.

    Raises:
        InvalidInputError: `bad_filter`, with what there is.
    """
    value = request.query_params.get(name, "")
    if value and value not in allowed:
        raise InvalidInputError(
            "bad_filter", f"{name} is one of {', '.join(allowed)}.", allowed=list(allowed)
        )
    return value
