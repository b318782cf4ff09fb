"""Pages that show a document before it is made."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from suppliers import previews
from suppliers.models import Mapping, Supplier


def preview(page: Any, request: HttpRequest, supplier: Supplier, mapping: Mapping | None = None) -> HttpResponse:
    """Show the document of the order that a person chooses, for a supplier, with a mapping live or not."""
    wanted = request.GET.get("order", "").strip()[:100]
    owner = mapping or supplier
    context = {
        **page.admin_site.each_context(request),
        "supplier": supplier,
        "mapping": mapping,
        "owner": owner,
        "back": page.page_of(owner),
        "choices": previews.recent(supplier),
        "wanted": wanted,
        "opts": page.opts,
        "title": f"Preview: {owner}",
    }
    try:
        context["preview"] = previews.look(supplier, wanted, mapping)
    except previews.NotFound as refusal:
        context["error"] = str(refusal)
    return TemplateResponse(request, "suppliers/preview_order.html", context)
