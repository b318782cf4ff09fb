"""Admin lists of what comes by the thousand: nothing is counted, sorted or searched for that no index serves."""

from collections.abc import Sequence
from typing import Any

from django.contrib.admin import ShowFacets
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.paginator import InfinitePaginator

from hemi.lib.database import starts_with


class LongList:
    """Mixin for a ModelAdmin of rows that are made by machines; their timelines say more than the history does."""

    compressed_fields = False
    actions_detail_hide_default = True
    list_filter_submit = True
    list_per_page = 50
    list_disable_select_all = True
    sortable_by: Sequence[str] = ()
    paginator = InfinitePaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER


class FoundByBeginning:
    """Mixin for a ModelAdmin: who searches types the beginning of the one column in `search_fields`."""

    search_fields: Sequence[str] = ()
    is_in_capitals = True

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        term = term.upper() if self.is_in_capitals else term
        return (queryset.filter(starts_with(self.search_fields[0], term)) if term else queryset), False
