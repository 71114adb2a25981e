"""Pages of `reading`."""

from __future__ import annotations

from django.urls import path

from . import (
    views_agreement,
    views_beside,
    views_blinded,
    views_blocks,
    views_critical,
    views_double,
    views_film,
    views_labelling,
    views_line,
    views_policy,
    views_report,
    views_saved,
    views_worklist,
)

app_name = "reading"
urlpatterns = [
    path("critical/", views_critical.results, name="critical"),
    path("critical/<int:pk>/acknowledge/", views_critical.acknowledge, name="critical-acknowledge"),
    path("critical/<int:pk>/cancel/", views_critical.cancel, name="critical-cancel"),
    path("on-call/", views_critical.on_call_lists, name="on-call"),
    path("reading-policy/", views_policy.reading_policy, name="reading-policy"),
    path("films/<int:image_id>/critical/", views_critical.report, name="critical-report"),
    path("worklist/", views_worklist.worklist, name="worklist"),
    path("worklist/table/", views_worklist.worklist_table, name="worklist-table"),
    path("agreement/", views_agreement.agreement, name="agreement"),
    path("agreement/films/", views_agreement.agreement_films, name="agreement-films"),
    path("worklist/views/", views_saved.save, name="view-save"),
    path("worklist/views/<int:view_id>/", views_saved.change, name="view-change"),
    path("label-next/", views_labelling.label_next, name="label-next"),
    path("films/<int:image_id>/", views_film.film, name="film"),
    path(
        "films/<int:image_id>/findings/<int:finding_id>/verdict/",
        views_film.verdict,
        name="verdict",
    ),
    path("films/<int:image_id>/findings/add/", views_film.add, name="add"),
    path("films/<int:image_id>/undo/", views_film.undo, name="undo"),
    path("films/<int:image_id>/beside/<int:prior_id>/", views_beside.beside, name="beside"),
    path("films/<int:image_id>/claim/", views_film.claim, name="claim"),
    path("films/<int:image_id>/release/", views_film.release, name="release"),
    path("films/<int:image_id>/read-anyway/", views_film.read_anyway, name="read-anyway"),
    path("films/<int:image_id>/sign/", views_film.sign, name="sign"),
    path(
        "films/<int:image_id>/first-impression/",
        views_blinded.first_impression,
        name="first-impression",
    ),
    path("reading-groups/", views_blinded.reading_groups, name="reading-groups"),
    path("films/<int:image_id>/adjudicate/", views_double.adjudicate, name="adjudicate"),
    path("films/<int:image_id>/line/", views_line.line, name="line"),
    path("films/<int:image_id>/skip/", views_line.skip, name="skip"),
    path("films/<int:image_id>/help/", views_line.ask_help, name="help"),
    path("films/<int:image_id>/urgency/", views_line.urgency, name="urgency"),
    path("films/<int:image_id>/second-look/", views_line.second_look, name="second-look"),
    path("help/<int:help_id>/answer/", views_line.answer_help, name="help-answer"),
    path("help/<int:help_id>/withdraw/", views_line.withdraw_help, name="help-withdraw"),
    path("images/<int:image_id>/report/", views_report.report, name="report"),
    path("images/<int:image_id>/report.pdf", views_report.pdf, name="report-pdf"),
    path("text-blocks/", views_blocks.blocks, name="text-blocks"),
    path("text-blocks/<int:block_id>/", views_blocks.change, name="text-block-change"),
    path("films/<int:image_id>/addenda/", views_film.add_addendum, name="addendum"),
]
