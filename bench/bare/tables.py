"""Makes the one table."""

from django.core.management import call_command


def answer() -> dict:
    """Make the table."""
    call_command("migrate", run_syncdb=True, verbosity=0)
    return {}
