"""Reading groups, kept by admins."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from accounts.models import User
from accounts.permissions import Can, may
from accounts.services import audit
from reading.models import ReadingGroup, ReadingGroupMember
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError

MAX_NAME = 64


def save(
    *,
    user: User,
    name: str,
    members: Sequence[str],
    blinded: bool,
    group_id: int | None = None,
    request: HttpRequest | None = None,
) -> ReadingGroup:
    """Make a group, or give one another name, other members, or another way to read.

    Args:
        user: the admin.
        name: at most `MAX_NAME` characters.
        members: user names of its readers, in any case.
        blinded: whether they see the model only after their own first read.
        group_id: the group to change; `None` makes one.
        request: for the audit.

    Raises:
        NotFoundError: `no_such_group`.
        InvalidInputError: `name_required`, `name_too_long`, `no_such_reader`.
        ConflictError: `name_taken`, `in_another_group`, `changed_meanwhile`.
    """
    name = " ".join(name.split())
    if not name:
        raise InvalidInputError("name_required", "Give the group a name.")
    if len(name) > MAX_NAME:
        raise InvalidInputError(
            "name_too_long", f"A name has at most {MAX_NAME} characters.", limit=MAX_NAME
        )
    try:
        with transaction.atomic():
            return _save(
                user=user,
                name=name,
                members=members,
                blinded=blinded,
                group_id=group_id,
                request=request,
            )
    except IntegrityError as error:  # another admin was a moment earlier
        raise ConflictError(
            "changed_meanwhile", "Another admin changed the groups just now; try again."
        ) from error


def _save(
    *,
    user: User,
    name: str,
    members: Sequence[str],
    blinded: bool,
    group_id: int | None,
    request: HttpRequest | None,
) -> ReadingGroup:
    group = _group(group_id)
    before = {row.user_id for row in group.rows.all()} if group.pk else set()
    if ReadingGroup.objects.filter(name=name).exclude(pk=group.pk).exists():
        raise ConflictError("name_taken", "There is a group of this name.")
    people = _people(members)
    elsewhere = (
        ReadingGroupMember.objects.filter(user__in=people)
        .exclude(group_id=group.pk)
        .select_related("user", "group")
        .first()
    )
    if elsewhere is not None:
        raise ConflictError(
            "in_another_group",
            f"{elsewhere.user} is in {elsewhere.group} already; a reader is in one group at most.",
            username=elsewhere.user.username,
            group=elsewhere.group_id,
        )
    group.name, group.blinded = name, blinded
    group.save()
    now = {person.pk for person in people}
    group.rows.exclude(user_id__in=now).delete()
    ReadingGroupMember.objects.bulk_create(
        ReadingGroupMember(group=group, user=person) for person in people if person.pk not in before
    )
    audit.record(
        actor=user,
        verb="changed_reading_group",
        obj=group,
        request=request,
        detail={
            "blinded": blinded,
            "members": sorted(now),
            "joined": sorted(now - before),
            "left": sorted(before - now),
        },
    )
    return group


def _group(group_id: int | None) -> ReadingGroup:
    if group_id is None:
        return ReadingGroup()
    found = ReadingGroup.objects.select_for_update().filter(pk=group_id).first()
    if found is None:
        raise NotFoundError("no_such_group", "There is no such group.", group=group_id)
    return found


def _people(members: Sequence[str]) -> list[User]:
    people: dict[int, User] = {}
    for username in members:
        person = User.objects.filter(username__iexact=username).first()
        if person is None or not may(person, Can.FINDING_REVIEW):
            raise InvalidInputError(
                "no_such_reader", f"{username} is nobody who may read films.", username=username
            )
        people[person.pk] = person
    return list(people.values())
