"""Forms of notices: shapes only."""

from __future__ import annotations

import calendar
from typing import Any

from django import forms

from devices.notice_kinds import Way
from devices.selectors.notifications import rooms

from .models import LARGEST_AHEAD, LONGEST_DAYS, MOST_AHEAD, Scope
from .people import Person
from .selectors import kinds_for

WEEKDAYS = [(number, calendar.day_name[number]) for number in range(7)]
PREFIX = "way_"


class SettingsForm(forms.Form):
    """How a person is told; one choice a kind."""

    ahead = forms.CharField(
        required=False,
        max_length=40,
        label="Days before an order is due",
        help_text=f"At most {MOST_AHEAD} numbers with commas, each 1 to {LARGEST_AHEAD}: 7, 1.",
    )
    scope = forms.ChoiceField(choices=Scope.choices, label="Of which orders")
    rooms = forms.MultipleChoiceField(
        required=False, label="My rooms", widget=forms.CheckboxSelectMultiple
    )
    digest = forms.BooleanField(required=False, label="A digest by e-mail, once a day")
    digest_at = forms.TimeField(
        label="At",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text="By the hospital's clock.",
    )
    digest_empty = forms.BooleanField(required=False, label="Also when there is nothing to tell")
    quiet_from = forms.TimeField(
        required=False,
        label="Quiet from",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text="E-mails wait until the quiet hours are over. The bell doesn't.",
    )
    quiet_to = forms.TimeField(
        required=False,
        label="Quiet until",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    quiet_days = forms.TypedMultipleChoiceField(
        choices=WEEKDAYS,
        coerce=int,
        required=False,
        label="Quiet days",
        widget=forms.CheckboxSelectMultiple,
        help_text="No digest comes on these days; the next one tells all of it.",
    )
    urgent_passes = forms.BooleanField(
        required=False, label="What is urgent (escalations) comes all the same"
    )

    def __init__(self, data: Any = None, *, person: Person) -> None:
        mine = person.settings
        names = (
            "scope", "rooms", "digest", "digest_at", "digest_empty", "quiet_from", "quiet_to",
            "quiet_days", "urgent_passes",
        )  # fmt: skip
        initial = {name: getattr(mine, name) for name in names}
        initial["ahead"] = ", ".join(str(days) for days in mine.ahead)
        super().__init__(data, initial=initial)
        known = set(rooms()) | set(mine.rooms)
        field = self.fields["rooms"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 - declared above
        field.choices = [(room, room) for room in sorted(known)]
        for kind in kinds_for(person.user):
            fixed = person.user.role in kind.always
            self.fields[f"{PREFIX}{kind.key}"] = forms.ChoiceField(
                choices=[(way.value, way.label) for way in Way if not (fixed and way == Way.OFF)],
                label=f"{kind.label[:1].upper()}{kind.label[1:]}",
                initial=person.chosen(kind),
                help_text="Your role is always told of this." if fixed else "",
            )

    def clean_ahead(self) -> list[int]:
        """`7, 1` as numbers."""
        texts = [text.strip() for text in self.cleaned_data["ahead"].split(",") if text.strip()]
        if not all(text.isdecimal() and len(text) < 4 for text in texts):
            raise forms.ValidationError("Numbers of days, with commas between them.")
        return [int(text) for text in texts]

    @property
    def way_fields(self) -> list[Any]:
        """Those of the kinds."""
        return [field for field in self if field.name.startswith(PREFIX)]

    @property
    def given(self) -> dict[str, Any]:
        """What the service takes."""
        data = self.cleaned_data
        ways = {
            name.removeprefix(PREFIX): value
            for name, value in data.items()
            if name.startswith(PREFIX)
        }
        rest = {name: value for name, value in data.items() if not name.startswith(PREFIX)}
        return {**rest, "ways": ways}


class PolicyForm(forms.Form):
    """What the house settles."""

    escalate_days = forms.IntegerField(
        label="Escalate after, days",
        min_value=1,
        max_value=LONGEST_DAYS,
        help_text="So many days after due date and grace, admins are told of an open order.",
    )
    hold_days = forms.IntegerField(
        label="Too long on hold after, days", min_value=1, max_value=LONGEST_DAYS
    )
    reason = forms.CharField(
        label="Why", max_length=300, error_messages={"required": "Say why in a few words."}
    )
    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)
