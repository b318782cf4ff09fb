"""Filters of the admin's lists."""

from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import RangeDateFilter


class DaysFilter(RangeDateFilter):
    """From one day to another, both included, of a date and time; what is no date is left aside."""

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if start := self._day("from"):
            queryset = queryset.filter(**{f"{self.field_path}__gte": start})
        if end := self._day("to"):
            queryset = queryset.filter(**{f"{self.field_path}__lt": end + timedelta(days=1)})
        return queryset

    def _day(self, side: str) -> datetime | None:
        try:
            day = datetime.strptime(str(self.used_parameters.get(f"{self.field_path}_{side}", "")), "%Y-%m-%d")
        except ValueError:
            return None
        return timezone.make_aware(day) if day.year in range(1970, 9999) else None
