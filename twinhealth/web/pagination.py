"""`?page=&page_size=` -> `{count, next, previous, results}`."""

from __future__ import annotations

from rest_framework import pagination


class PageNumberPagination(pagination.PageNumberPagination):
    """Fifty a page, at most 500 on request."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 500
