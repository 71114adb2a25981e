"""Text blocks: a reader's own, and those of the house."""

from __future__ import annotations

import re

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.models import User
from accounts.permissions import Can, may
from accounts.services import audit
from reading.models import TextBlock
from reading.report_blocks import PLACEHOLDERS, unknown
from reading.report_text import SECTIONS
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError, NotPermittedError

from .words import text_of

MAX_TEXT, MAX_TITLE, MAX_BLOCKS = 2000, 60, 200
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,19}")


def save(
    *,
    user: User,
    section: str,
    title: str,
    code: str,
    text: str,
    shared: bool = False,
    block_id: int | None = None,
    request: HttpRequest | None = None,
) -> TextBlock:
    """Make a block, or change one that the person keeps.

    Args:
        user: who.
        section: a key of `SECTIONS`, where it belongs.
        title: 1 to 60 characters.
        code: typed as `/code`; small letters, digits, hyphens.
        text: at most 2000 characters; in braces only `PLACEHOLDERS`.
        shared: of the house instead of one's own; a change leaves that as it is.
        block_id: the block to change; `None` makes one.
        request: for the audit.

    Raises:
        NotFoundError: `no_such_block`, also for one that the person doesn't keep.
        InvalidInputError: `bad_section`, `bad_code`, `bad_title`, `text_required`,
            `text_too_long`, `unknown_placeholder`.
        ConflictError: `code_taken`, `too_many_blocks`.
        NotPermittedError: `shared_kept_by_others`.
    """
    fields = _checked(section=section, title=title, code=code, text=text)
    with transaction.atomic():
        if block_id is None:
            if shared and not may(user, Can.TEXT_BLOCKS_SHARED):
                raise NotPermittedError(
                    "shared_kept_by_others", "Admins and reading leads keep the shared blocks."
                )
            block = TextBlock(owner=None if shared else user)
            if _in_use(block.owner).count() >= MAX_BLOCKS:
                raise ConflictError(
                    "too_many_blocks", f"There are {MAX_BLOCKS} blocks; archive one first."
                )
        else:
            block = _kept(user, block_id)
        for name, value in fields.items():
            setattr(block, name, value)
        made = block.pk is None
        try:
            with transaction.atomic():
                block.save()
        except IntegrityError as error:
            raise ConflictError(
                "code_taken", f"/{fields['code']} is another block's code."
            ) from error
        return _said(user, "made_text_block" if made else "changed_text_block", block, request)


def archive(*, user: User, block_id: int, request: HttpRequest | None = None) -> TextBlock:
    """Take a block out of use; its code is free again.

    Raises:
        NotFoundError: `no_such_block`.
    """
    with transaction.atomic():
        block = _kept(user, block_id)
        block.archived = True
        block.save(update_fields=["archived"])
        return _said(user, "archived_text_block", block, request)


def _checked(*, section: str, title: str, code: str, text: str) -> dict[str, str]:
    if section not in SECTIONS:
        raise InvalidInputError(
            "bad_section", f"A section is one of {', '.join(SECTIONS)}.", allowed=list(SECTIONS)
        )
    called = " ".join(title.split())
    if not 0 < len(called) <= MAX_TITLE:
        raise InvalidInputError("bad_title", f"A title has 1 to {MAX_TITLE} characters.")
    code = code.strip().removeprefix("/").lower()
    if not _CODE.fullmatch(code):
        raise InvalidInputError(
            "bad_code", "A code has 1 to 20 small letters, digits or hyphens, such as clear."
        )
    said = text_of(
        text,
        limit=MAX_TEXT,
        missing="Write what the block says.",
        too_long=f"A block has at most {MAX_TEXT} characters.",
    )
    if strange := unknown(said):
        raise InvalidInputError(
            "unknown_placeholder",
            f"{{{strange[0]}}} is no placeholder. There are: "
            + ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
            + ".",
            allowed=list(PLACEHOLDERS),
        )
    return {"section": section, "title": called, "code": code, "text": said}


def _in_use(owner: User | None) -> QuerySet[TextBlock]:
    return TextBlock.objects.filter(owner=owner, archived=False)


def _kept(user: User, block_id: int) -> TextBlock:
    """A block in use that the person may change, locked."""
    mine = Q(owner=user)
    if may(user, Can.TEXT_BLOCKS_SHARED):
        mine |= Q(owner=None)
    block = TextBlock.objects.select_for_update().filter(mine, pk=block_id, archived=False).first()
    if block is None:
        raise NotFoundError("no_such_block", "You keep no such text block.", block=block_id)
    return block


def _said(user: User, verb: str, block: TextBlock, request: HttpRequest | None) -> TextBlock:
    audit.record(
        actor=user,
        verb=verb,
        obj=block,
        request=request,
        detail={"shared": block.owner_id is None, "code": block.code},
    )
    return block
