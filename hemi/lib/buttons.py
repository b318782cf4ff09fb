"""Buttons of the admin that cannot act now: shown greyed with their reason, and refused with the same sentence.

Unfold hides a button or lets it act; staff need to see it and to read why it is off.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import wraps
from types import SimpleNamespace
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.dataclasses import UnfoldAction

ROWS_TOLD = 20  # sentences after a list action; the rest is counted


class ReasonedButtons:
    """Mixin for an Unfold ModelAdmin, before it in the bases.

    `button_refusals` maps an action's name to a function of the object: "" lets it act, a sentence turns it off. It is
    asked when the page is shown, again when the button is pressed (GET and POST), and by `act_on_rows`. The service
    that the action calls still decides under its lock; its refusal is an exception named in `refusal_errors`.
    """

    button_refusals: dict[str, Callable[[Any], str]] = {}
    refusal_errors: tuple[type[Exception], ...] = ()
    subject = ""  # the keyword under which the app's services take the object: order, delivery, ...

    def why_not(self, name: str, obj: Model) -> str:
        """Say why the action `name` cannot act on `obj`; "" if it can."""
        refusal = self.button_refusals.get(name)
        return str(refusal(obj) or "") if refusal else ""

    def act(self, request: HttpRequest, obj: Model, do: Callable[[], Any], done: str) -> HttpResponse:
        """Call a service for `obj`, log who did, tell how it went, and go back to the object's page."""
        try:
            do()
        except self.refusal_errors as refusal:
            messages.error(request, str(refusal))
        else:
            self.log_change(request, obj, done)
            messages.success(request, done)
        return go(request, self.page_of(obj))

    def ask(
        self, request: HttpRequest, object_id: str, service: Callable[..., Any], done: str, **wishes: Any
    ) -> HttpResponse:
        """Ask a service for the object of this page, in the name of this person; see `act`."""
        obj = self.get_object(request, object_id)
        return self.act(request, obj, lambda: service(**{self.subject: obj}, by=request.user, **wishes), done)

    def ask_for_rows(
        self, request: HttpRequest, rows: Iterable[Model], name: str, service: Callable[..., Any], done: str
    ) -> None:
        """Ask a service for each of `rows`; see `act_on_rows`."""
        self.act_on_rows(request, rows, name, lambda obj: service(**{self.subject: obj}, by=request.user), done)

    def act_on_rows(
        self, request: HttpRequest, rows: Iterable[Model], name: str, do: Callable[[Any], Any], done: str
    ) -> None:
        """Run a list action row by row; `done` such as "{count} sent again."; each refusal is told with its row."""
        refused, count = [], 0
        for obj in rows:
            reason = self.why_not(name, obj)
            try:
                if not reason:
                    do(obj)
                    self.log_change(request, obj, self.get_unfold_action(name).description)
                    count += 1
            except self.refusal_errors as refusal:
                reason = str(refusal)
            if reason:
                refused.append(f"{obj}: {reason}")
        if count:
            messages.success(request, done.format(count=count))
        for sentence in refused[:ROWS_TOLD]:
            messages.warning(request, sentence)
        if len(refused) > ROWS_TOLD:
            messages.warning(request, f"{len(refused) - ROWS_TOLD} more were refused.")

    def page_of(self, obj: Model) -> str:
        """Return the address of the object's page."""
        return reverse(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk])

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict | None = None
    ) -> Any:
        refused = self._refused_buttons(request, object_id) if object_id else []
        context = {**(extra_context or {}), "refused_buttons": [(action.description, why) for action, why in refused]}
        return super().changeform_view(request, object_id, form_url, context)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[UnfoldAction]:
        off = {action.action_name: why for action, why in self._refused_buttons(request, object_id)}
        actions = super().get_actions_detail(request, object_id)
        return [greyed(action, off[action.action_name]) if action.action_name in off else action for action in actions]

    def get_unfold_action(self, action: str) -> UnfoldAction:
        unfold_action = super().get_unfold_action(action)
        return replace(unfold_action, method=self._guarded(action, unfold_action))

    def _refused_buttons(self, request: HttpRequest, object_id: str) -> list[tuple[UnfoldAction, str]]:
        """Return the buttons that are off on this page with their reasons, found out once a request."""
        known = request.__dict__.setdefault("_refused_buttons", {})
        key = (self.opts.label, str(object_id))
        if key not in known:
            obj = self.get_object(request, object_id)
            actions = super().get_actions_detail(request, object_id) if obj else []
            prefix = f"{self.opts.app_label}_{self.opts.model_name}_"
            told = [(action, self.why_not(action.action_name.removeprefix(prefix), obj)) for action in actions]
            known[key] = [(action, why) for action, why in told if why]
        return known[key]

    def _guarded(self, name: str, action: UnfoldAction) -> Callable[..., HttpResponse]:
        """Wrap an action with an object: permission first, then that it exists, then its refusal, then itself."""

        @wraps(action.method)
        def press(request: HttpRequest, *args: Any, object_id: str | None = None, **kwargs: Any) -> HttpResponse:
            if object_id is None:
                return action.method(request, *args, **kwargs)
            if not self._filter_unfold_actions_by_permissions(request, [action], object_id):
                raise PermissionDenied
            obj = self.get_object(request, object_id)
            if obj is None:
                return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            if reason := self.why_not(name, obj):
                messages.error(request, reason)
                return go(request, self.page_of(obj))
            return action.method(request, *args, object_id=object_id, **kwargs)

        return press


def go(request: HttpRequest, url: str) -> HttpResponse:
    """Go to `url`, from a dialog (htmx) as from a page."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def greyed(action: UnfoldAction, reason: str) -> UnfoldAction:
    """Return the button turned off. Its link stays: pressed, it answers with the reason, which a touch screen needs."""
    off = {"aria-disabled": "true", "title": reason, "style": "opacity: .45; cursor: not-allowed"}
    return replace(action, dialog=None, method=SimpleNamespace(attrs={**(action.attrs or {}), **off}))
