"""REST of this room; `images/` and `images/{id}/` are routed in `detection`, with the runs."""

from __future__ import annotations

import hashlib
import json
from typing import Any, cast

from django.conf import settings
from django.http import (
    FileResponse,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)
from django.utils.cache import get_conditional_response
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.permissions import Can
from accounts.services import audit
from twinhealth.errors import InvalidInputError, UnavailableError

from . import pixels, rendering, selectors
from .filters import ImageFilter, QuarantineFilter
from .frame import VoiFunction, Window
from .grayscale import usable
from .models import Image, QuarantinedFile
from .serializers import ImageSerializer, QuarantinedSerializer
from .services.doors import check_request_size
from .services.quarantine import dismiss

# pictures of people: only for whom they were sent, asked for again each time, never by a proxy
_CACHE = "private, no-cache"
_SIZES = range(16, 4097)
_FUNCTIONS: dict[str, VoiFunction] = {
    "": "LINEAR",
    "LINEAR": "LINEAR",
    "LINEAR_EXACT": "LINEAR_EXACT",
    "SIGMOID": "SIGMOID",
}


class ImageListView(generics.ListAPIView[Image]):
    """All images; `detection` routes it together with `POST images/`."""

    required: Any = {"get": Can.IMAGE_READ}
    serializer_class = ImageSerializer
    filterset_class = ImageFilter
    ordering_fields = ("acquired_at", "received_at", "id")

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Size first: signing in by session reads the whole form for its CSRF token."""
        check_request_size(request.META.get("CONTENT_LENGTH"), limit=settings.MAX_UPLOAD_BYTES)
        super().initial(request, *args, **kwargs)

    def get_queryset(self) -> Any:
        """Newest exposure first."""
        return selectors.images()

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One page, with its audit entry."""
        response = super().list(request, *args, **kwargs)
        audit.record(
            actor=cast("User", request.user),
            verb="listed",
            obj=Image,
            request=request,
            detail={"images": [row["id"] for row in response.data["results"]]},
        )
        return response


class AnswerAnyway(BaseContentNegotiation):
    """A picture is what it is; `Accept: image/png` must not end in 406."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """There is nothing to parse."""
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """JSON, which only errors use."""
        return renderers[0], renderers[0].media_type


class PixelView(APIView):
    """What the three addresses of one film's contents share."""

    required = Can.IMAGE_PIXELS
    content_negotiation_class = AnswerAnyway

    def answer(
        self, request: Request, image: Image, response: HttpResponseBase, *, verb: str, etag: str
    ) -> HttpResponseBase:
        """Mark the answer and leave the audit entry."""
        response["ETag"] = etag
        response["Cache-Control"] = _CACHE
        audit.record(
            actor=cast("User", request.user),
            verb=verb,
            obj=image,
            patient_id=image.series.study.patient_id,
            request=request,
            detail={"address": request.path},
        )
        return response

    def unchanged(self, request: Request, etag: str) -> HttpResponseBase | None:
        """304 where the browser has it already."""
        found = get_conditional_response(request._request, etag=etag)  # noqa: SLF001
        if found is not None:
            found["Cache-Control"] = _CACHE
        return found


class RenderedView(PixelView):
    """The 8-bit view through the DICOM grey-scale chain."""

    @extend_schema(
        operation_id="images_rendered",
        parameters=[
            OpenApiParameter("center", OpenApiTypes.FLOAT, description="with `width`"),
            OpenApiParameter("width", OpenApiTypes.FLOAT),
            OpenApiParameter("function", str, enum=["LINEAR", "LINEAR_EXACT", "SIGMOID"]),
            OpenApiParameter("invert", OpenApiTypes.BOOL),
            OpenApiParameter("size", OpenApiTypes.INT, description="longest side, 16 to 4096"),
        ],
        responses={(200, "image/png"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, image_id: int) -> HttpResponseBase:
        """PNG; `window` values in modality units."""
        image = selectors.image_or_error(image_id)
        window, invert, size = _view(request)
        key = hashlib.sha256(repr((window, invert, size)).encode()).hexdigest()[:16]
        etag = f'"{image.sha256}-{key}"'
        found = self.unchanged(request, etag)
        if found is not None:
            return found
        data = pixels.rendered(image, window=window, invert=invert, size=size)
        response = HttpResponse(data, content_type="image/png")
        return self.answer(request, image, response, verb="viewed", etag=etag)


class PixelsView(PixelView):
    """Stored values for the film viewer."""

    @extend_schema(
        operation_id="images_pixels",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, image_id: int) -> HttpResponseBase:
        """16-bit little-endian values, row by row; their meaning as JSON in the header `X-Film`.

        The same facts stand one by one in `X-Rows`, `X-Columns`, `X-Bits-Stored`, `X-Signed`,
        `X-Photometric`, `X-Slope`, `X-Intercept`, `X-Padding`, `X-Windows`.
        """
        image = selectors.image_or_error(image_id)
        etag = f'"{image.sha256}"'
        found = self.unchanged(request, etag)
        if found is not None:
            return found
        frame = pixels.load(image)
        response = StreamingHttpResponse(
            rendering.raw16(frame), content_type="application/octet-stream"
        )
        response["Content-Length"] = str(frame.pixels.size * 2)
        facts = rendering.facts(frame)
        # ASCII: names of windows may hold any letter
        response["X-Film"] = json.dumps(facts, separators=(",", ":"))
        for name, value in facts.items():
            text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
            response[f"X-{name.replace('_', '-').title()}"] = text
        return self.answer(request, image, response, verb="viewed", etag=etag)


class TablesView(PixelView):
    """Modality and VOI LUTs of a film that has any (`tables` of `X-Film`)."""

    @extend_schema(operation_id="images_tables", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, image_id: int) -> HttpResponseBase:
        """`modality`, `voi` (first, bits, name, entries) and `default`: `window` or `voi`."""
        image = selectors.image_or_error(image_id)
        etag = f'"{image.sha256}-tables"'
        found = self.unchanged(request, etag)
        if found is not None:
            return found
        response = JsonResponse(rendering.tables(pixels.load(image)))
        return self.answer(request, image, response, verb="viewed", etag=etag)


class OriginalView(PixelView):
    """The stored DICOM file, for films that nothing here shows as well."""

    @extend_schema(
        operation_id="images_original", responses={(200, "application/dicom"): OpenApiTypes.BINARY}
    )
    def get(self, request: Request, image_id: int) -> HttpResponseBase:
        """DICOM Part 10, byte for byte as it was stored."""
        image = selectors.image_or_error(image_id)
        path = pixels.stored_path(image)
        if not path.exists():
            raise UnavailableError("file_missing", "The film's file isn't in the archive.")
        response = FileResponse(
            path.open("rb"),
            as_attachment=True,
            filename=f"{image.sop_instance_uid}.dcm",
            content_type="application/dicom",
        )
        etag = f'"{image.sha256}-file"'
        return self.answer(request, image, response, verb="downloaded", etag=etag)


class QuarantineListView(generics.ListAPIView[QuarantinedFile]):
    """Files whose identity contradicts the archive."""

    required = Can.QUARANTINE_READ
    serializer_class = QuarantinedSerializer
    filterset_class = QuarantineFilter
    ordering_fields = ("created_at", "id")

    def get_queryset(self) -> Any:
        """Newest first."""
        return selectors.quarantined()

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One page, with its audit entry."""
        response = super().list(request, *args, **kwargs)
        audit.record(
            actor=cast("User", request.user),
            verb="listed",
            obj=QuarantinedFile,
            request=request,
            detail={"quarantined": [row["id"] for row in response.data["results"]]},
        )
        return response


class QuarantineDismissView(APIView):
    """Somebody looked at it."""

    required = Can.QUARANTINE_READ

    @extend_schema(operation_id="quarantine_dismiss", request=None, responses=QuarantinedSerializer)
    def post(self, request: Request, quarantined_id: int) -> Response:
        """Twice is once."""
        row = dismiss(
            quarantined_id=quarantined_id,
            actor=cast("User", request.user),
            request=request,
        )
        return Response(QuarantinedSerializer(row).data)


def _view(request: Request) -> tuple[Window | None, bool, int | None]:
    """Window, inversion and size of the query.

    Raises:
        InvalidInputError: `bad_view`.
    """
    query = request.query_params
    try:
        size = int(query["size"]) if query.get("size") else None
        center, width = query.get("center", ""), query.get("width", "")
        function = _FUNCTIONS[query.get("function", "").upper()]
        window = Window(float(center), float(width), function) if center or width else None
        invert = {"": False, "0": False, "false": False, "1": True, "true": True}[
            query.get("invert", "").lower()
        ]
    except (ValueError, KeyError) as error:
        raise _bad_view() from error
    if (size is not None and size not in _SIZES) or (window is not None and not usable(window)):
        raise _bad_view()
    return window, invert, size


def _bad_view() -> InvalidInputError:
    return InvalidInputError(
        "bad_view",
        "`center` and `width` come together and are numbers, `width` at least 1; `invert` is "
        f"true or false; `size` is {_SIZES.start} to {_SIZES.stop - 1}.",
    )
