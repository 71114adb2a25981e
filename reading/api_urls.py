"""REST addresses of `reading`, under /api/v1/."""

from __future__ import annotations

from django.urls import path

from . import (
    api_addenda,
    api_agreement,
    api_critical,
    api_line,
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
    path("images/<int:pk>/reviews/", api_reviews.ImageReviewsView.as_view(), name="image-reviews"),
    path("images/<int:pk>/claim/", api_reviews.ClaimView.as_view(), name="image-claim"),
    path("images/<int:pk>/release/", api_reviews.ReleaseView.as_view(), name="image-release"),
    path("images/<int:pk>/addenda/", api_addenda.AddendaView.as_view(), name="image-addenda"),
    path("images/<int:pk>/sign/", api_reviews.SignView.as_view(), name="image-sign"),
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
    path("agreement/", api_agreement.AgreementView.as_view(), name="agreement"),
    path("worklist/", api_worklist.WorklistView.as_view(), name="worklist"),
]
