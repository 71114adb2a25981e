"""What a reader signs: the signature, or one of two readings that don't know of each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from detection import blinding
from detection.models import Claim, Signature
from detection.services import sign as signatures
from detection.services.claims import lock_film, patient_of, refuse_claimed_by_another
from imaging.models import Image
from reading import double
from reading.models import DoubleReading, HelpRequest, IndependentRead, ReadingPolicy
from reading.models.line import HelpState
from reading.selectors_double import wants_two
from reading.selectors_policy import policy_now
from twinhealth.errors import ConflictError

from .snapshot import snapshot, take_off


@dataclass(frozen=True, slots=True)
class Signed:
    """What came of signing.

    Attributes:
        signature: of the film; `None` while another reader has yet to read or to decide.
        read: one's own reading of a film that two readers read.
        created: whether this call made any of them.
    """

    signature: Signature | None
    read: IndependentRead | None
    created: bool


def sign(
    *,
    image_id: int,
    user: User,
    conclusion: str,
    text: str = "",
    sections: Mapping[str, str] | None = None,
    request: HttpRequest | None = None,
) -> Signed:
    """Sign a film, or give one of its two readings. The same reader's repeat changes nothing.

    The first reader of a film that the policy has read twice gives the first reading; the film
    then waits for another one, without what the first said. That one takes the film (a claim)
    and reads: if the two agree (`reading.double`), the signature follows at once, else a lead
    decides (`reading.services.adjudication`).

    `sections` are those of the report that the reader wrote himself; a reading keeps them.

    Raises:
        NotFoundError: `no_such_image`.
        InvalidInputError: `bad_conclusion`, `text_too_long`.
        ConflictError: `signed` or `claimed` by another, with who and when; `take_first`, where the
            second reader hasn't taken the film since the first one read it; `adjudication`;
            `first_impression_missing` of a blinded reader.
    """
    signatures.check_report(conclusion=conclusion, text=text)
    with transaction.atomic():
        image = lock_film(image_id)
        reads = list(IndependentRead.objects.filter(image=image))
        own = next((read for read in reads if read.reader_id == user.pk), None)
        signed = Signature.objects.filter(image=image).exists()
        if own is not None and not signed:
            return Signed(None, own, created=False)
        policy = policy_now()  # asked for once: another may be settled meanwhile
        if signed or not (reads or wants_two(image, policy)):
            done = signatures.sign(
                image_id=image_id, user=user, conclusion=conclusion, text=text, request=request
            )
            return Signed(done.signature, own, done.created)
        refuse_claimed_by_another(image, user)
        blinding.refuse_hidden(image_id, user)
        if len(reads) > 1:
            raise ConflictError(
                "adjudication", "Two readers have read this film; a reading lead decides."
            )
        read = _read(
            image,
            reads,
            user,
            policy,
            conclusion=conclusion,
            text=text,
            sections=dict(sections or {}),
        )
        audit.record(
            actor=user,
            verb="read_independently",
            obj=image,
            patient_id=patient_of(image),
            request=request,
            detail={"read": read.pk, "position": read.position},
        )
        return Signed(_settle(image, [*reads, read], request), read, created=True)


def _read(
    image: Image,
    reads: list[IndependentRead],
    user: User,
    policy: ReadingPolicy,
    *,
    conclusion: str,
    text: str,
    sections: dict[str, str],
) -> IndependentRead:
    """Store the reading; what stands on the film now goes into it."""
    now = timezone.now()
    if not reads:
        DoubleReading.objects.create(image=image, why=policy.twice, policy=policy, at=now)
    elif not Claim.objects.filter(image=image, by=user).exists():
        # the first reading ended all claims, so this one began after it, on a clean film
        raise ConflictError(
            "take_first",
            "Another reader has read this film: yours is the second reading. Take the film, look "
            "again, then sign.",
        )
    return IndependentRead.objects.create(
        image=image,
        position=len(reads) + 1,
        reader=user,
        reader_name=str(user),
        at=now,
        conclusion=conclusion,
        text=text,
        sections=sections,
        findings=snapshot(image_id=image.pk, conclusion=conclusion, reader=user),
    )


def _settle(
    image: Image, reads: list[IndependentRead], request: HttpRequest | None
) -> Signature | None:
    """The signature where two readings agree; else the film goes on, without what was said."""
    last = reads[-1]
    if len(reads) == 2 and double.agree(
        conclusions=(reads[0].conclusion, last.conclusion),
        diseases=(reads[0].diseases, last.diseases),
    ):
        return signatures.sign(
            image_id=image.pk,
            user=last.reader,
            conclusion=last.conclusion,
            text=last.text,
            by_name=_both(reads),
            request=request,
        ).signature
    take_off(image_id=image.pk)
    Claim.objects.filter(image=image).delete()
    # a call of before was put to a reader who then read; the next one asks anew
    HelpRequest.objects.filter(image=image, state=HelpState.OPEN).update(
        state=HelpState.WITHDRAWN, ended_by=last.reader, ended_at=last.at
    )
    return None


def _both(reads: list[IndependentRead]) -> str:
    room = (Signature._meta.get_field("by_name").max_length or 150) // 2 - 3  # noqa: SLF001
    return " and ".join(read.reader_name[:room] for read in reads)
