"""Skills of people: admins give and take them; orders that ask for one are kept to it."""

from __future__ import annotations

from datetime import date

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from accounts.permissions import Can, may
from accounts.services import audit
from devices.models import PersonSkill, SkillWaiver, WorkOrder
from devices.plain_text import clean
from devices.selectors.order_people import candidates, day_of, lacking
from devices.skills import key
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError, NotPermittedError

from .order_changes import AnyRequest, check_assignee, remark

MAX_SKILLS = 100  # of one person


def get(pk: int) -> PersonSkill:
    """One skill of one person.

    Raises:
        NotFoundError: `skill_not_found`.
    """
    found = PersonSkill.objects.select_related("person").filter(pk=pk).first()
    if found is None:
        raise NotFoundError("skill_not_found", "There is no such skill.")
    return found


@transaction.atomic
def give(
    *,
    actor: User,
    person: User,
    name: str,
    valid_until: date | None = None,
    request: AnyRequest = None,
) -> PersonSkill:
    """Give somebody a skill, or change until when it is valid.

    Args:
        actor: the admin.
        person: one who works on orders.
        name: as plans name it; capitals don't count.
        valid_until: the last day; `None`: it doesn't end.
        request: for the audit trail.

    Raises:
        InvalidInputError: `skill_missing`, `skill_too_long`, `valid_until_past`, `cannot_assign`.
        ConflictError: `too_many_skills`; `skill_given` where another admin was faster.
    """
    name = clean(name, field="skill", limit=64)
    check_assignee(person)
    if valid_until is not None and valid_until < timezone.localdate():
        raise InvalidInputError("valid_until_past", "The last day lies in the past.")
    there = [each for each in person.skills.select_for_update() if key(each.name) == key(name)]
    if there:
        found, before = there[0], there[0].valid_until
        found.valid_until, found.given_by = valid_until, actor
        found.save(update_fields=["valid_until", "given_by"])
    else:
        before = None
        if person.skills.count() >= MAX_SKILLS:
            raise ConflictError(
                "too_many_skills", f"At most {MAX_SKILLS} skills.", limit=MAX_SKILLS
            )
        found = _made(person, name, valid_until, actor)
    audit.record(
        actor=actor,
        verb="skill_given",
        obj=found,
        request=request,
        detail={
            "person": person.username,
            "skill": found.name,
            "valid_until": valid_until and valid_until.isoformat(),
            "before": before and before.isoformat(),
        },
    )
    return found


def _made(person: User, name: str, valid_until: date | None, actor: User) -> PersonSkill:
    try:
        with transaction.atomic():
            return PersonSkill.objects.create(
                person=person, name=name, valid_until=valid_until, given_by=actor
            )
    except IntegrityError:
        raise ConflictError("skill_given", "Another admin gave it at this moment.") from None


@transaction.atomic
def take(*, skill: PersonSkill, actor: User, request: AnyRequest = None) -> None:
    """Somebody doesn't have the skill any more; the audit trail keeps that it was there."""
    until = skill.valid_until
    audit.record(
        actor=actor,
        verb="skill_taken",
        obj=skill,
        request=request,
        detail={
            "person": skill.person.username,
            "skill": skill.name,
            "valid_until": until and until.isoformat(),
        },
    )
    skill.delete()


def check(order: WorkOrder, person: User, *, actor: User | None = None, override: str = "") -> None:
    """That a person has the skills of a locked order, or an admin says why it goes without.

    Args:
        order: whose skills.
        person: who gets or does it.
        actor: who asks for it.
        override: why it goes without; kept on the time line.

    Raises:
        ConflictError: `skills_missing`, with the skills and who has them.
        NotPermittedError: `cannot_override`.
        InvalidInputError: `override_too_long`.
    """
    lacks = lacking(order, person, day_of(order))
    if not lacks:
        return
    reason = clean(override, field="override", limit=300, required=False)
    if not reason or actor is None:
        able = [each.person.username for each in candidates(order) if not each.lacks]
        who = f" {', '.join(able)} can." if able else " Nobody has it now."
        raise ConflictError(
            "skills_missing",
            f"{person} lacks {', '.join(lacks)}.{who} An admin may give the order all the same, "
            "with the reason.",
            skills=lacks,
            person=person.username,
            able=able,
        )
    if not may(actor, Can.MAINTENANCE_PLAN):
        raise NotPermittedError("cannot_override", "Only an admin may let it go without a skill.")
    SkillWaiver.objects.create(order=order, person=person, skills=lacks, reason=reason, by=actor)
    note = f"{person} works without {', '.join(lacks)}: {reason}"
    remark(order, actor, note[:1000], "skill_waived", None)
