"""Users and groups in Hemi's look. Nobody gives, or takes over, rights that they have not themselves."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from hemi import second_factor
from hemi.lib.buttons import ReasonedButtons
from hemi.lib.deletion import KeptWhileUsed
from hemi.models import Authenticator, RecoveryCode

admin.site.unregister(User)
admin.site.unregister(Group)

_RIGHTS = ("is_superuser", "groups", "user_permissions")
_OWN = {Authenticator, RecoveryCode}  # of a person: nothing that was done


def _why_kept(person: User) -> str:
    links: Any = (field for field in User._meta.get_fields(include_hidden=True) if field.one_to_many)
    deeds = [link for link in links if not (link.related_model in _OWN or link.related_model._meta.auto_created)]
    if any(link.related_model._base_manager.filter(**{link.field.name: person.pk}).exists() for link in deeds):
        return "It stands in the history of what was done. Take the tick at Active away instead."
    return ""


@admin.register(User)
class UserAdmin(ReasonedButtons, KeptWhileUsed, DjangoUserAdmin, ModelAdmin):
    """The people who work with Hemi. Who did something stays, so that it can always be told who it was."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    compressed_fields = False
    list_display = ["username", "first_name", "last_name", "shown_roles", "is_staff", "is_active", "has_second_factor"]
    list_filter = ["is_staff", "is_active", "groups"]

    why_kept = _why_kept
    subject = "user"
    refusal_errors = (second_factor.Refused,)
    actions_detail = ["reset_second_factor"]
    button_refusals = {"reset_second_factor": second_factor.why_no_reset}

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        apps = Authenticator.objects.filter(user=OuterRef("pk"))
        return super().get_queryset(request).prefetch_related("groups").annotate(second_factor=Exists(apps))

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        if request.user.is_superuser:
            return fields
        is_free = request.user.has_perm("hemi.assign_role")
        return (*fields, *(name for name in _RIGHTS if name != "groups" or not is_free))

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "groups" and not request.user.is_superuser:
            kwargs["queryset"] = Group.objects.exclude(permissions__in=_above(request.user))
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and not _is_above(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not _is_above(request, obj)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Lead people to the page for their own password: it asks for the old one."""
        if id == str(request.user.pk):
            return HttpResponseRedirect(reverse("admin:password_change"))
        return super().user_change_password(request, id, form_url)

    def has_reset_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        if not request.user.has_perm("hemi.reset_second_factor"):
            return False
        return object_id is None or not _is_above(request, self.get_object(request, object_id))

    @display(description="groups")
    def shown_roles(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all()) or "–"

    @display(description="second factor", boolean=True)
    def has_second_factor(self, user: User) -> bool:
        return user.second_factor

    @action(
        description="Reset second factor",
        permissions=["reset"],
        dialog={
            "title": "Take this person's second factor away?",
            "description": "For a lost phone without recovery codes. First make sure who is asking: from now on the "
            "password alone lets them in, until they set a new one up.",
            "form_submit_text": "Reset",
        },
    )
    def reset_second_factor(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Let a person who lost the phone set up another one."""
        done = "The second factor is reset; it is set up anew after the next login."
        return self.ask(request, object_id, second_factor.reset, done)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Rights that go together; only a superuser changes them. What Hemi ships is kept up to date by Hemi."""

    list_display = ["name", "is_shipped"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        return super().get_queryset(request).select_related("role")

    def get_fields(self, request: HttpRequest, obj: Group | None = None) -> Any:
        return ["name", "shown_permissions" if _is_shipped(obj) else "permissions"]

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> list[str]:
        return ["shown_permissions"] if _is_shipped(obj) else []

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_change_permission(request, obj) and request.user.is_superuser and not _is_shipped(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_delete_permission(request, obj) and request.user.is_superuser and not _is_shipped(obj)

    @display(description="may")
    def shown_permissions(self, group: Group) -> SafeString:
        names = group.permissions.order_by("content_type__app_label", "name").values_list("name", flat=True)
        return format_html_join(mark_safe("<br>"), "{}", ((name,) for name in names))

    @display(description="shipped with Hemi", boolean=True)
    def is_shipped(self, group: Group) -> bool:
        return _is_shipped(group)


def _is_shipped(group: Group | None) -> bool:
    return group is not None and hasattr(group, "role")


def _is_above(request: HttpRequest, person: User | None) -> bool:
    """Say whether a person has, or had before being switched off, a right that whoever asks has not."""
    if person is None or request.user.is_superuser:
        return False
    rights = Permission.objects.filter(Q(user=person) | Q(group__user=person))
    return person.is_superuser or rights.filter(pk__in=_above(request.user)).exists()


def _above(user: Any) -> QuerySet[Permission]:
    """Return the permissions that `user` has not."""
    return Permission.objects.exclude(Q(user=user) | Q(group__user=user))
