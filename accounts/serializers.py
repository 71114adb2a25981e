"""REST shapes of `accounts`."""

from __future__ import annotations

from rest_framework import serializers

from .forms import PASSWORD_MAX
from .models import AuditEntry, User
from .permissions import Role


class CredentialsSerializer(serializers.Serializer):
    """What is sent for a token."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(
        max_length=PASSWORD_MAX, trim_whitespace=False, style={"input_type": "password"}
    )


class TokenSerializer(serializers.Serializer):
    """What comes back: `Authorization: Token …`."""

    token = serializers.CharField()


class UserSerializer(serializers.ModelSerializer[User]):
    """An account as an admin sees it."""

    class Meta:
        model = User
        fields = [
            "id", "username", "display_name", "email", "role", "is_reading_lead", "is_active",
            "is_demo", "must_change_password", "last_login", "date_joined",
        ]  # fmt: skip
        read_only_fields = fields


class NewUserSerializer(serializers.Serializer):
    """A new account."""

    username = serializers.CharField(max_length=150)
    role = serializers.ChoiceField(choices=Role.choices)
    display_name = serializers.CharField(max_length=128, required=False, allow_blank=True)


class ChangeUserSerializer(serializers.Serializer):
    """What may change; what is left out stays."""

    role = serializers.ChoiceField(choices=Role.choices, required=False)
    display_name = serializers.CharField(max_length=128, required=False, allow_blank=True)
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    is_active = serializers.BooleanField(required=False)
    is_reading_lead = serializers.BooleanField(required=False)


class OneTimePasswordSerializer(UserSerializer):
    """An account with the password that is shown this once."""

    one_time_password = serializers.CharField(read_only=True)

    class Meta(UserSerializer.Meta):
        fields = [*UserSerializer.Meta.fields, "one_time_password"]
        read_only_fields = fields


class AuditEntrySerializer(serializers.ModelSerializer[AuditEntry]):
    """One row of the audit trail."""

    class Meta:
        model = AuditEntry
        fields = [
            "id", "at", "actor_name", "actor_role", "verb", "object_type", "object_id",
            "patient_ref", "remote_addr", "request_id", "detail",
        ]  # fmt: skip
        read_only_fields = fields


class AuditPageSerializer(serializers.Serializer):
    """A page by keyset; `count` stops counting at a cap, then `count_is_minimum` is true."""

    count = serializers.IntegerField()
    count_is_minimum = serializers.BooleanField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = AuditEntrySerializer(many=True)
