"""The pages of the second factor: give a code, set an app up, get new recovery codes."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from hemi import lockouts, second_factor
from hemi.second_factor import Refused


class CodeForm(forms.Form):
    """One code."""

    code = forms.CharField(
        label="Code",
        max_length=40,
        widget=UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "one-time-code", "autofocus": True, "inputmode": "text"}
        ),
        error_messages={"required": "Type the code."},
    )


class PasswordForm(forms.Form):
    """The password: a session that was left open, or stolen, is not enough to change how one gets in."""

    password = forms.CharField(
        label="Your password",
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}),
        error_messages={"required": "Type the password that you log in with."},
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request.POST or None, *args, **kwargs)
        self.request = request
        user: Any = request.user
        if not user.has_usable_password():
            del self.fields["password"]

    def clean_password(self) -> str:
        typed = str(self.cleaned_data["password"])
        if not lockouts.is_own_password(self.request, typed):
            raise forms.ValidationError("This is not the password that you log in with.")
        return typed


class SetupForm(PasswordForm, CodeForm):
    """The password, and the first code of the app."""


def urls(site: Any) -> list[URLPattern]:
    """Return the addresses of the pages on an admin site."""
    return [
        path("second-factor/", site.admin_view(never_cache(check)), name="second_factor"),
        path("second-factor/setup/", site.admin_view(never_cache(setup)), name="second_factor_setup"),
        path("second-factor/codes/", site.admin_view(never_cache(codes)), name="second_factor_codes"),
    ]


@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def check(request: HttpRequest) -> HttpResponse:
    """Ask for a code; to whoever gave one, tell what is set up."""
    user: Any = request.user
    if not second_factor.is_set_up(user):
        return HttpResponseRedirect(reverse("admin:second_factor_setup"))
    if user.is_verified():
        return _what_is_set_up(request, PasswordForm(request))
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            left = second_factor.verify(request=request, code=form.cleaned_data["code"])
        except Refused as refused:
            form.add_error("code", str(refused))
        else:
            _warn(request, left)
            return HttpResponseRedirect(_next(request))
    return _page(request, "admin/second_factor_check.html", "Second factor", {"form": form})


@sensitive_post_parameters("code", "offer", "password")
@require_http_methods(["GET", "POST"])
def setup(request: HttpRequest) -> HttpResponse:
    """Show the QR code, and take the first code of the app."""
    user: Any = request.user
    if second_factor.is_set_up(user) and not user.is_verified():
        return HttpResponseRedirect(reverse("admin:second_factor"))
    form, offer = SetupForm(request), request.POST.get("offer", "")
    if request.method == "POST" and form.is_valid():
        try:
            made = second_factor.set_up(request=request, offered=offer, code=form.cleaned_data["code"])
        except Refused as refused:
            form.add_error("code", str(refused))
        else:
            return _show(request, made, "The second factor is set up.")
    offer = _still_good(user, offer)
    key = second_factor.key_of(user, offer)
    words = {
        "form": form,
        "offer": offer,
        "drawing": second_factor.drawing(user, key),
        "key": second_factor.in_words(key),
        "is_required": settings.REQUIRE_SECOND_FACTOR and not second_factor.is_set_up(user),
    }
    return _page(request, "admin/second_factor_setup.html", "Set up the second factor", words)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def codes(request: HttpRequest) -> HttpResponse:
    """Make new recovery codes and show them."""
    user: Any = request.user
    if request.method != "POST" or not user.is_verified():
        return HttpResponseRedirect(reverse("admin:second_factor"))
    form = PasswordForm(request)
    if form.fields and not form.is_valid():
        return _what_is_set_up(request, form)
    return _show(request, second_factor.renew_codes(user=user), "The old recovery codes work no more.")


def _what_is_set_up(request: HttpRequest, form: PasswordForm) -> HttpResponse:
    user: Any = request.user
    words = {"left": second_factor.codes_left(user), "device": user.otp_device, "form": form}
    return _page(request, "admin/second_factor.html", "Second factor", words)


def _still_good(user: Any, offer: str) -> str:
    try:
        second_factor.key_of(user, offer)
    except Refused:
        return second_factor.offer(user)
    return offer  # a wrong code changes nothing: the app that was set up with it stays right


def _show(request: HttpRequest, made: list[str], said: str) -> HttpResponse:
    return _page(request, "admin/second_factor_codes.html", "Recovery codes", {"codes": made, "said": said})


def _warn(request: HttpRequest, left: int | None) -> None:
    if left is None:
        return
    messages.warning(
        request,
        f"You came in by a recovery code; {left} are left. If your phone is lost, set the second factor up anew: "
        "your name at the bottom left, then “Second factor”.",
    )


def _next(request: HttpRequest) -> str:
    url = request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
    return url if is_ours else reverse("admin:index")


def _page(request: HttpRequest, template: str, title: str, words: dict[str, Any]) -> HttpResponse:
    return TemplateResponse(request, template, {**admin.site.each_context(request), "title": title, **words})
