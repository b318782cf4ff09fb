"""A page that asks before a list action that cannot be undone: what will happen, and to which rows."""

from dataclasses import dataclass
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

NAMED = 50  # rows; the rest is counted


@dataclass(frozen=True)
class Question:
    """What is asked: a title, what will happen, and the words on the button."""

    title: str
    text: str
    submit: str


def is_given(request: HttpRequest) -> bool:
    """Say whether the person has seen the page and gone on."""
    return request.POST.get("confirmed") == "yes"


def page(request: HttpRequest, model_admin: Any, rows: QuerySet, question: Question) -> TemplateResponse:
    """Return the page that asks; it sends the same action for the same rows again."""
    count = rows.count()
    context = {
        **model_admin.admin_site.each_context(request),
        "title": question.title,
        "question": question,
        "opts": model_admin.opts,
        "rows": rows[:NAMED],
        "more": max(0, count - NAMED),
        "repeated": [
            ("action", request.POST.get("action", "")),
            ("select_across", request.POST.get("select_across", "0")),
            *((ACTION_CHECKBOX_NAME, pk) for pk in request.POST.getlist(ACTION_CHECKBOX_NAME)),
        ],
    }
    return TemplateResponse(request, "admin/confirmation.html", context)
