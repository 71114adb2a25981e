"""JSON of reports, drafts and text blocks."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from detection.models import Conclusion
from detection.serializers import SignInSerializer
from detection.services.sign import MAX_TEXT
from reading.models import TextBlock
from reading.report_text import SECTIONS
from reading.selectors_report import Document, Drafted, Version
from reading.serializers_double import SignedSerializer


class OwnSectionsSerializer(serializers.Serializer[Any]):
    """Sections that the reader wrote himself; those left out are drafted from the facts."""

    clinical = serializers.CharField(required=False, allow_blank=True, max_length=MAX_TEXT)
    technique = serializers.CharField(required=False, allow_blank=True, max_length=MAX_TEXT)
    comparison = serializers.CharField(required=False, allow_blank=True, max_length=MAX_TEXT)
    findings = serializers.CharField(required=False, allow_blank=True, max_length=MAX_TEXT)
    impression = serializers.CharField(required=False, allow_blank=True, max_length=MAX_TEXT)


class ReportSignInSerializer(SignInSerializer):
    """What the film as a whole shows, and the report; `text` is the impression."""

    sections = OwnSectionsSerializer(required=False)


class SignedReportSerializer(SignedSerializer):
    """What came of signing: numbers of the signature, of one's reading, of the report."""

    report = serializers.IntegerField(
        source="report.pk",
        allow_null=True,
        default=None,
        help_text="null without a signature, and where that is older than reports",
    )


class DraftInSerializer(serializers.Serializer[Any]):
    """A draft as it is sent: on which revision it stands, and what the reader wrote himself."""

    revision = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    conclusion = serializers.ChoiceField(
        choices=Conclusion.choices, required=False, allow_blank=True
    )
    sections = OwnSectionsSerializer()


class DraftSectionSerializer(serializers.Serializer[Any]):
    """One section: as it reads, and as it is drafted from the facts of now."""

    key = serializers.CharField(help_text=", ".join(SECTIONS))
    title = serializers.CharField()
    text = serializers.CharField()
    edited = serializers.BooleanField()
    drafted = serializers.CharField()


class ReportDraftSerializer(serializers.Serializer[Drafted]):
    """One's own draft; revision 0 where none is kept."""

    revision = serializers.IntegerField()
    at = serializers.DateTimeField(allow_null=True)
    conclusion = serializers.ChoiceField(choices=Conclusion.choices, allow_blank=True)
    sections = DraftSectionSerializer(many=True)


class ReportSectionSerializer(serializers.Serializer[Any]):
    """One section; `edited` where the reader wrote it himself."""

    key = serializers.CharField(help_text=", ".join(SECTIONS))
    title = serializers.CharField()
    text = serializers.CharField()
    edited = serializers.BooleanField()


class ReportAddendumSerializer(serializers.Serializer[Any]):
    """What was added after the signature."""

    by_name = serializers.CharField()
    at = serializers.DateTimeField()
    text = serializers.CharField()


class ReportVersionSerializer(serializers.Serializer[Version]):
    """A version; 0 is what was drafted from the facts."""

    number = serializers.IntegerField()
    what = serializers.CharField()
    by_name = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)
    sha256 = serializers.CharField()


class ReportSerializer(serializers.Serializer[Document]):
    """A film's report as it reads now."""

    image = serializers.IntegerField(source="film.image.pk")
    signed = serializers.BooleanField()
    conclusion = serializers.ChoiceField(
        choices=Conclusion.choices, allow_blank=True, source="content.conclusion"
    )
    sections = ReportSectionSerializer(many=True, source="content.sections")
    addenda = ReportAddendumSerializer(many=True)
    version = serializers.IntegerField(source="current.number")
    versions = ReportVersionSerializer(many=True)
    intact = serializers.BooleanField(help_text="the kept report has its hash")


class TextBlockInSerializer(serializers.Serializer[Any]):
    """A text block as it is sent."""

    section = serializers.ChoiceField(choices=list(SECTIONS.items()))
    title = serializers.CharField(max_length=60)
    code = serializers.CharField(max_length=21)
    text = serializers.CharField(max_length=2000)
    shared = serializers.BooleanField(required=False, default=False)


class TextBlockSerializer(serializers.ModelSerializer[TextBlock]):
    """A text block in use."""

    shared = serializers.SerializerMethodField()

    class Meta:
        model = TextBlock
        fields = ["id", "section", "title", "code", "text", "shared"]

    def get_shared(self, block: TextBlock) -> bool:
        """Of the house, not of one reader."""
        return block.owner_id is None


class FilmBlocksSerializer(serializers.Serializer[Any]):
    """Blocks for one film's report, and what goes into their placeholders."""

    blocks = TextBlockSerializer(many=True)
    values = serializers.DictField(child=serializers.CharField())
    findings = serializers.DictField(child=serializers.DictField(child=serializers.CharField()))
