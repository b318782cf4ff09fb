"""The project's own app (commands, checks, front page) and its admin site."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.core.checks import Tags, register

from hemi import checks


class HemiConfig(AppConfig):
    """Holds the commands and the checks."""

    name = "hemi"

    def ready(self) -> None:
        register(checks.check_keys, Tags.security)
        register(checks.check_shop_url, Tags.security)
        register(checks.check_base_url)
        register(checks.check_mail)
        register(checks.check_values)


class HemiAdminConfig(AdminConfig):
    """Makes Hemi's site the default admin site."""

    default_site = "hemi.site.HemiAdminSite"
