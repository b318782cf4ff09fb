"""What can be read from an account's store: its collections, at once or in the background."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.decorators import action

from hemi.lib.buttons import go
from hemi.lib.downloads import attachment
from hemi.lib.links import page_of
from integrations.services import accounts, collections
from integrations.services.refusals import Refused
from integrations.shopify.errors import ShopifyError

REFUSALS = {"get_collections": accounts.why_not_read, "make_collections_file": collections.why_not_export}


class ExportButtons:
    """Mixin for an account's page."""

    @action(description="Get Collections", permissions=["export"])
    def get_collections(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Download all collections as CSV, if there are few enough to wait for. It changes nothing: a plain link."""
        account = self.get_object(request, object_id)
        try:
            if (count := collections.count(account)) > collections.AT_ONCE:
                messages.warning(
                    request,
                    f"The store has {count:,} collections, too many to wait for. Choose “Collections in "
                    "background” under “More”: the file is made by a worker and kept for a day.",
                )
                return HttpResponseRedirect(page_of(account))
            content = collections.as_csv(account)
        except ShopifyError as error:
            messages.error(request, f"The collections could not be read, so there is no file. {error}")
            return HttpResponseRedirect(page_of(account))
        response = attachment(content, f"collections-{account.shop_name}.csv")
        response["Content-Type"] = "text/csv; charset=utf-8"
        return response

    @action(
        description="Collections in background",
        permissions=["export"],
        dialog={
            "title": "Make the collections file in the background?",
            "description": "For stores with very many collections. You see how far it is; the file is kept for a day.",
            "form_submit_text": "Make the file",
        },
    )
    def make_collections_file(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Ask for the file and show how far it is."""
        account = self.get_object(request, object_id)
        try:
            export = collections.export(account=account, by=request.user)
        except Refused as refused:
            messages.error(request, str(refused))
            return go(request, page_of(account))
        self.log_change(request, account, "Asked for the collections file.")
        return go(request, page_of(export))
