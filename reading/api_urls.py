"""REST addresses of `reading`, under /api/v1/."""

from __future__ import annotations

from django.urls import path

from . import (
    api_addenda,
    api_agreement,
    api_blinded,
    api_blocks,
    api_critical,
    api_double,
    api_line,
    api_policy,
    api_report,
    api_rereads,
    api_reviews,
    api_saved,
    api_worklist,
)

urlpatterns = [
    path("critical-results/", api_critical.CriticalResultsView.as_view(), name="critical-results"),
    path(
        "critical-results/<int:pk>/acknowledge/",
        api_critical.AcknowledgeView.as_view(),
        name="critical-result-acknowledge",
    ),
    path(
        "critical-results/<int:pk>/cancel/",
        api_critical.CancelView.as_view(),
        name="critical-result-cancel",
    ),
    path("re-read-lists/", api_rereads.ListsView.as_view(), name="re-read-lists"),
    path("re-read-lists/<int:pk>/", api_rereads.FilmsView.as_view(), name="re-read-list-films"),
    path("re-read-lists/<int:pk>/assign/", api_rereads.AssignView.as_view(), name="re-read-assign"),
    path("re-read-lists/<int:pk>/done/", api_rereads.DoneView.as_view(), name="re-read-done"),
    path("re-reads/<int:pk>/", api_rereads.ItemView.as_view(), name="re-read-detail"),
    path("re-reads/<int:pk>/record/", api_rereads.RecordView.as_view(), name="re-read-record"),
    path("re-reads/<int:pk>/reopen/", api_rereads.ReopenView.as_view(), name="re-read-reopen"),
    path("images/<int:pk>/reviews/", api_reviews.ImageReviewsView.as_view(), name="image-reviews"),
    path("images/<int:pk>/claim/", api_reviews.ClaimView.as_view(), name="image-claim"),
    path("images/<int:pk>/release/", api_reviews.ReleaseView.as_view(), name="image-release"),
    path("images/<int:pk>/addenda/", api_addenda.AddendaView.as_view(), name="image-addenda"),
    path("images/<int:pk>/sign/", api_report.SignView.as_view(), name="image-sign"),
    path("images/<int:pk>/reads/", api_double.ReadsView.as_view(), name="image-reads"),
    path(
        "images/<int:pk>/adjudicate/",
        api_double.AdjudicateView.as_view(),
        name="image-adjudicate",
    ),
    path("images/<int:pk>/report/", api_report.ReportView.as_view(), name="image-report"),
    path("images/<int:pk>/report.pdf", api_report.ReportPdfView.as_view(), name="image-report-pdf"),
    path("images/<int:pk>/report/draft/", api_report.DraftView.as_view(), name="image-draft"),
    path("images/<int:pk>/text-blocks/", api_blocks.FilmBlocksView.as_view(), name="image-blocks"),
    path("text-blocks/", api_blocks.TextBlocksView.as_view(), name="text-blocks"),
    path("text-blocks/<int:pk>/", api_blocks.TextBlockView.as_view(), name="text-block"),
    path("images/<int:pk>/skip/", api_line.SkipView.as_view(), name="image-skip"),
    path("images/<int:pk>/help/", api_line.HelpView.as_view(), name="image-help"),
    path("images/<int:pk>/urgency/", api_line.UrgencyView.as_view(), name="image-urgency"),
    path(
        "images/<int:pk>/second-look/",
        api_line.SecondLookView.as_view(),
        name="image-second-look",
    ),
    path("help/", api_line.HelpListView.as_view(), name="help"),
    path("second-looks/", api_line.SecondLooksView.as_view(), name="second-looks"),
    path("saved-views/", api_saved.SavedViewsView.as_view(), name="saved-views"),
    path("saved-views/<int:pk>/", api_saved.SavedViewView.as_view(), name="saved-view"),
    path("help/<int:pk>/answer/", api_line.HelpAnswerView.as_view(), name="help-answer"),
    path("help/<int:pk>/withdraw/", api_line.HelpWithdrawView.as_view(), name="help-withdraw"),
    path(
        "findings/<int:pk>/reviews/",
        api_reviews.FindingReviewsView.as_view(),
        name="finding-reviews",
    ),
    path("reviews/<int:pk>/", api_reviews.ReviewView.as_view(), name="review-detail"),
    path(
        "images/<int:pk>/first-impressions/",
        api_blinded.FirstImpressionsView.as_view(),
        name="image-first-impressions",
    ),
    path("reading-groups/", api_blinded.ReadingGroupsView.as_view(), name="reading-groups"),
    path("reading-groups/<int:pk>/", api_blinded.ReadingGroupView.as_view(), name="reading-group"),
    path("agreement/", api_agreement.AgreementView.as_view(), name="agreement"),
    path("reading-policy/", api_policy.ReadingPolicyView.as_view(), name="reading-policy"),
    path("worklist/", api_worklist.WorklistView.as_view(), name="worklist"),
]
