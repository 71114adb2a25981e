"""The page of text blocks."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.decorators import requires
from accounts.permissions import Can, may
from detection.page_request import PageRequest
from reading.forms_report import TextBlockForm
from reading.report_blocks import PLACEHOLDERS
from reading.selectors_blocks import blocks_of, keeps
from reading.services import text_blocks
from twinhealth.errors import DomainError


@require_http_methods(["GET", "POST"])
@requires(Can.TEXT_BLOCKS)
def blocks(request: PageRequest) -> HttpResponse:
    """One's own and the shared blocks, and a form for a new one."""
    shares = may(request.user, Can.TEXT_BLOCKS_SHARED)
    form = TextBlockForm(request.POST or None, initial={"shared": shares})
    if not shares:
        del form.fields["shared"]
    if request.method == "POST" and form.is_valid():
        try:
            text_blocks.save(user=request.user, request=request, **form.cleaned_data)
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            return redirect("reading:text-blocks")
    rows = [
        (block, TextBlockForm(initial=_initial(block), auto_id=f"b{block.pk}_%s"))
        if keeps(request.user, block)
        else (block, None)
        for block in blocks_of(request.user).select_related("owner")
    ]
    for _, change in rows:
        if change:
            del change.fields["shared"]
    context = {"form": form, "rows": rows, "placeholders": PLACEHOLDERS}
    return render(
        request, "reading/text_blocks.html", context, status=400 if form.is_bound else 200
    )


@require_POST
@requires(Can.TEXT_BLOCKS)
def change(request: PageRequest, block_id: int) -> HttpResponse:
    """`act` says what: `save` with the form's fields, or `archive`."""
    try:
        if request.POST.get("act") == "archive":
            text_blocks.archive(user=request.user, block_id=block_id, request=request)
            messages.success(request, "Archived.")
        else:
            text_blocks.save(
                user=request.user,
                block_id=block_id,
                section=request.POST.get("section", ""),
                title=request.POST.get("title", ""),
                code=request.POST.get("code", ""),
                text=request.POST.get("text", ""),
                request=request,
            )
            messages.success(request, "Saved.")
    except DomainError as error:
        messages.error(request, error.message)
    return redirect("reading:text-blocks")


def _initial(block: object) -> dict[str, object]:
    return {name: getattr(block, name) for name in ("section", "title", "code", "text")}
