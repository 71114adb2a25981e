"""REST shape of one film with what became of it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.permissions import Can, may
from detection.models import Trust
from detection.selectors import Film
from imaging.models import Image
from imaging.serializers import ImageSerializer

from .serializers import (
    ClaimSerializer,
    FindingSerializer,
    ReviewSerializer,
    RunSerializer,
    SignatureSerializer,
    TrustReasonSerializer,
    TrustToldSerializer,
)


class FilmSerializer(ImageSerializer):
    """One image with what became of it; `film` (detection.selectors) comes in the context.

    `findings`, `added`, `signature` are null, `why` is empty for a role that manages films without
    reading them. With `model_hidden` there are no `runs`, `findings` is null, and `added` holds the
    reader's own boxes alone.
    """

    width = serializers.IntegerField(source="columns", read_only=True)
    height = serializers.IntegerField(source="rows", read_only=True)
    device_trust = serializers.SerializerMethodField()
    trust_reasons = serializers.SerializerMethodField()
    trust_history = serializers.SerializerMethodField()
    runs = serializers.SerializerMethodField()
    findings = serializers.SerializerMethodField()
    added = serializers.SerializerMethodField()
    claim = serializers.SerializerMethodField()
    signature = serializers.SerializerMethodField()
    why = serializers.SerializerMethodField()
    model_hidden = serializers.SerializerMethodField()

    class Meta(ImageSerializer.Meta):
        fields = [
            *ImageSerializer.Meta.fields,
            "width",
            "height",
            "device_trust",
            "trust_reasons",
            "trust_history",
            "runs",
            "findings",
            "added",
            "claim",
            "signature",
            "why",
            "model_hidden",
        ]
        read_only_fields = fields

    @property
    def _film(self) -> Film:
        film: Film = self.context["film"]
        return film

    @property
    def _reads(self) -> bool:
        return may(self.context["request"].user, Can.WORKLIST_READ)

    @extend_schema_field(serializers.ChoiceField(choices=Trust.choices))
    def get_device_trust(self, image: Image) -> str:
        """How far the machine was to be trusted at the exposure."""
        return self._film.trust

    @extend_schema_field(TrustReasonSerializer(many=True))
    def get_trust_reasons(self, image: Image) -> Any:
        """The machine's failing checks."""
        return self._film.trust_reasons

    @extend_schema_field(TrustToldSerializer(many=True))
    def get_trust_history(self, image: Image) -> Any:
        """How it came to be, as it came."""
        return TrustToldSerializer(self._film.trust_history, many=True).data

    @extend_schema_field(RunSerializer(many=True))
    def get_runs(self, image: Image) -> Any:
        """Newest first."""
        return RunSerializer(self._film.runs, many=True).data

    @extend_schema_field(FindingSerializer(many=True, allow_null=True))
    def get_findings(self, image: Image) -> Any:
        """Of the latest run."""
        if not self._reads or self._film.hidden:
            return None
        return [
            {
                "id": view.finding.pk,
                "label": view.label,
                "score": view.score,
                "box": list(view.box),
                "flags": view.flags,
                "device_trust": self._film.trust,
                "review": ReviewSerializer(view.review).data if view.review else None,
            }
            for view in self._film.findings
        ]

    @extend_schema_field(ReviewSerializer(many=True, allow_null=True))
    def get_added(self, image: Image) -> Any:
        """Boxes that readers drew."""
        return ReviewSerializer(self._film.added, many=True).data if self._reads else None

    @extend_schema_field(ClaimSerializer(allow_null=True))
    def get_claim(self, image: Image) -> Any:
        """Who reads it now."""
        return ClaimSerializer(self._film.claim).data if self._film.claim else None

    @extend_schema_field(SignatureSerializer(allow_null=True))
    def get_signature(self, image: Image) -> Any:
        """The report, once there is one."""
        if not self._reads or self._film.signature is None:
            return None
        return SignatureSerializer(self._film.signature).data

    @extend_schema_field(serializers.CharField())
    def get_why(self, image: Image) -> str:
        """The sentence of the worklist; empty once signed."""
        return self._film.why if self._reads else ""

    @extend_schema_field(serializers.BooleanField())
    def get_model_hidden(self, image: Image) -> bool:
        """Until this reader's first impression."""
        return self._film.hidden
