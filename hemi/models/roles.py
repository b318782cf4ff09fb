"""The roles that Hemi ships, and what may be done for other people."""

from axes.models import AccessAttempt
from django.contrib.auth.models import Group, User
from django.db import models


class Role(models.Model):
    """A group that Hemi made and keeps up to date; every other group is the people's own."""

    key = models.CharField(max_length=20, unique=True)
    group = models.OneToOneField(Group, models.CASCADE, related_name="role")

    def __str__(self) -> str:
        return str(self.group)


class FailedLogin(AccessAttempt):
    """The failed logins of an account from one address and browser, until their time is over."""

    class Meta:
        proxy = True
        verbose_name = "failed login"
        default_permissions = ("view",)
        permissions = [("unlock_failedlogin", "Can let people log in again after too many tries")]

    def __str__(self) -> str:
        return f"{self.username or '–'} from {self.ip_address or 'nowhere'}"


class StaffMember(User):  # type: ignore[django-manager-missing]
    """A user, for the permissions that are about other people's access."""

    class Meta:
        proxy = True
        default_permissions = ()
        permissions = [
            ("assign_role", "Can put people into groups whose rights they have themselves"),
            ("reset_second_factor", "Can take a person's second factor away, such as when a phone is lost"),
        ]
