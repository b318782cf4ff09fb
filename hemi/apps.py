"""The project's own app (commands, checks, front page) and its admin site."""

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.admin.apps import AdminConfig
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate
from django.utils.module_loading import import_string

from hemi import checks, roles
from hemi.lib import counters


class HemiConfig(AppConfig):
    """Holds the commands and the checks."""

    name = "hemi"

    def ready(self) -> None:
        import_string("hemi.people_changes.listen")()  # it needs the models, which come after this module
        if settings.SENTRY_DSN:
            import_string("hemi.reports.start")(settings.SENTRY_DSN)
        if settings.TALLY_SECONDS:
            counters.write_with(import_string("hemi.tallies.write"), settings.TALLY_SECONDS)
        last = [app for app in apps.get_app_configs() if app.models_module][-1]
        post_migrate.connect(roles.keep_after_migrate, sender=last, dispatch_uid="hemi.roles")
        register(checks.check_keys, Tags.security)
        register(checks.check_secrets, Tags.database)
        register(checks.check_shop_url, Tags.security)
        register(checks.check_base_url)
        register(checks.check_mail)
        register(checks.check_values)


class HemiAdminConfig(AdminConfig):
    """Makes Hemi's site the default admin site."""

    default_site = "hemi.site.HemiAdminSite"
