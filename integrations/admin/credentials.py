"""The id and secrets of an app: shown or written, rotated, and the overlap ended."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from unfold.admin import StackedInline
from unfold.decorators import action

from hemi.lib.buttons import ReasonedButtons
from hemi.lib.secrecy import HidesSecrets
from integrations.admin.secrets import WriteOnlySecrets, clear_tick
from integrations.models import IntegrationCredentials
from integrations.services import credentials
from integrations.services.refusals import Refused


class CredentialsForm(WriteOnlySecrets):
    """The client id is shown, the secrets are not; a new client secret makes the old one the previous."""

    secret_fields = ("client_secret", "previous_client_secret")
    clear_client_secret = clear_tick("client secret")
    clear_previous_client_secret = clear_tick("previous client secret")

    class Meta:
        model = IntegrationCredentials
        fields = ["client_id", "client_secret", "previous_client_secret", "previous_secret_until"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.errors or "client_secret" not in self.present_secrets:
            return cleaned
        old, new = self.instance.client_secret, cleaned["client_secret"]
        is_said = {"previous_client_secret", "clear_previous_client_secret"} & set(self.changed_data)
        if old and new and new != old and not is_said:
            cleaned["previous_client_secret"] = old
            # A date that was stored belongs to an earlier rotation.
            is_typed = "previous_secret_until" in self.changed_data
            cleaned["previous_secret_until"] = cleaned["previous_secret_until"] if is_typed else None
        has_previous = bool(cleaned["previous_client_secret"])
        until = credentials.overlap_ends(cleaned["previous_secret_until"]) if has_previous else None
        cleaned["previous_secret_until"] = until
        return cleaned


class CredentialsInline(HidesSecrets, StackedInline):
    """Id and secrets of the app."""

    model = IntegrationCredentials
    form = CredentialsForm
    secret_fields = CredentialsForm.secret_fields
    can_delete = False
    fields = [
        "client_id",
        ("client_secret", "clear_client_secret"),
        ("previous_client_secret", "clear_previous_client_secret"),
        "previous_secret_until",
    ]

    def holder(self, obj: Any) -> Any:
        return getattr(obj, "credentials", None)


class OverlapButton(ReasonedButtons):
    """The button that ends a rotation."""

    subject = "integration"
    refusal_errors = (Refused,)
    actions_detail = ["end_overlap"]
    button_refusals = {"end_overlap": credentials.why_not_end}

    @action(
        description="End the overlap now",
        permissions=["change"],
        dialog={
            "title": "Forget the previous client secret?",
            "description": "From now on what is signed with it is refused. Do this once Shopify signs with the new "
            "secret, which takes up to an hour after the rotation.",
            "form_submit_text": "Forget it",
        },
    )
    def end_overlap(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Forget the previous secret."""
        return self.ask(request, object_id, credentials.end_overlap, "Only the current client secret is accepted now.")
