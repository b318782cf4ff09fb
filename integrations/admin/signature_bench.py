"""The page that says what is wrong with a signed request."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.debug import sensitive_post_parameters
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from integrations.models import RefusedRequest
from integrations.services import signature_bench
from integrations.services.refusals import Refused
from integrations.shopline.queries import MOST_CHARACTERS
from integrations.signature_checks import Finding

Kind = RefusedRequest.Kind
_KINDS = [
    (Kind.SHOPLINE_PROXY, "SHOPLINE App Proxy"),
    (Kind.SHOPIFY_QUERY, "Shopify install or callback address"),
    (Kind.SHOPIFY_WEBHOOK, "Shopify webhook"),
    (Kind.SHOPIFY_PROXY, "Shopify app proxy"),
]
_MOST_BODY = 1_000_000
_CODE = {"spellcheck": "false", "autocomplete": "off", "style": "font-family: monospace; overflow-wrap: anywhere"}


class BenchForm(forms.Form):
    """What was signed, whose secret it should have been, and the request itself."""

    kind = forms.ChoiceField(label="What is it?", choices=_KINDS, widget=UnfoldAdminSelectWidget({"x-model": "kind"}))
    subject = forms.ChoiceField(label="Whose secret should it be?", widget=UnfoldAdminSelectWidget)
    address = forms.CharField(
        label="Full address",
        required=False,
        max_length=MOST_CHARACTERS + 2000,
        widget=UnfoldAdminTextareaWidget({**_CODE, "rows": 5}),
        help_text="As the request was made, with all its parameters.",
    )
    headers = forms.CharField(
        label="Headers",
        required=False,
        max_length=20_000,
        widget=UnfoldAdminTextareaWidget({**_CODE, "rows": 5}),
        help_text="A line for each, such as X-Shopify-Hmac-Sha256: …",
    )
    body = forms.CharField(
        label="Body",
        required=False,
        strip=False,
        max_length=_MOST_BODY,
        widget=UnfoldAdminTextareaWidget({**_CODE, "rows": 8}),
        help_text="Byte by byte as it came; one space more makes another signature.",
    )

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        accounts, apps = signature_bench.accounts(user), signature_bench.integrations(user)
        self.subjects = {f"shopline-{row.pk}": row for row in accounts} | {f"app-{row.pk}": row for row in apps}
        groups = (("Accounts SHOPLINE", accounts, "shopline"), ("Integrations", apps, "app"))
        self.fields["subject"].choices = [
            ("", "Choose one"),
            *((title, [(f"{kind}-{row.pk}", str(row)) for row in rows]) for title, rows, kind in groups if rows),
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        is_webhook = cleaned.get("kind") == Kind.SHOPIFY_WEBHOOK
        wanted = {"headers": "Paste the headers.", "body": "Paste the body."}
        for name, told in (wanted if is_webhook else {"address": "Paste the address."}).items():
            if name not in self.errors and not cleaned.get(name):
                self.add_error(name, told)
        return cleaned

    def check_request(self, by: Any) -> Finding:
        """Check what was pasted; raises Refused."""
        told = self.cleaned_data
        subject = self.subjects[told["subject"]]
        if told["kind"] == Kind.SHOPIFY_WEBHOOK:
            pasted = {"headers": told["headers"], "body": told["body"]}
            return signature_bench.check_webhook(integration=subject, **pasted, by=by)  # type: ignore[arg-type]
        return signature_bench.check_address(kind=told["kind"], subject=subject, address=told["address"], by=by)


class SignatureBench:
    """Mixin for the integrations' admin: one more page, with a permission of its own. It shows its answers on POST."""

    def get_urls(self) -> list[URLPattern]:
        page = sensitive_post_parameters()(self.admin_site.admin_view(self.signature_bench))
        return [path("signature-bench/", page, name="integrations_signature_bench"), *super().get_urls()]

    def signature_bench(self, request: HttpRequest) -> HttpResponse:
        """Show the form, and of what was posted what is wrong with it."""
        if not signature_bench.may_use(request.user):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "POST"])
        words = self._answer(request) if request.method == "POST" else {"form": BenchForm(request.user)}
        words |= {
            **self.admin_site.each_context(request),
            "title": "Signature bench",
            "refused": signature_bench.last_refused(request.user),
            "kind": words["form"]["kind"].value() or Kind.SHOPLINE_PROXY,
        }
        return TemplateResponse(request, "admin/signature_bench.html", words)

    def _answer(self, request: HttpRequest) -> dict[str, Any]:
        if "taken" in request.POST:
            return self._taken(request)
        form = BenchForm(request.user, request.POST)
        if not form.is_valid():
            return {"form": form}
        try:
            return {"form": form, "finding": form.check_request(request.user)}
        except Refused as refused:
            form.add_error("subject", str(refused))
            return {"form": form}

    def _taken(self, request: HttpRequest) -> dict[str, Any]:
        rows = {str(row.pk): row for row in signature_bench.last_refused(request.user)}
        row = rows.get(request.POST["taken"])
        if row is None:
            return {"form": BenchForm(request.user), "told": "It is no longer kept; newer ones took its place."}
        initial = {"kind": row.kind, "address": f"{row.path}?{row.query}"}
        try:
            found = signature_bench.check_kept(row=row, by=request.user)
        except Refused as refused:
            return {"form": BenchForm(request.user, initial=initial), "told": str(refused)}
        return {"form": BenchForm(request.user, initial={"kind": row.kind}), "finding": found, "taken": row}
