"""Take a person's second factor away, for when no administrator can log in to do it."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from hemi import second_factor


class Command(BaseCommand):
    """`manage.py reset_second_factor NAME`"""

    help = "Take a person's second factor away, so that it can be set up anew after the next login."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['username']}.")
        try:
            second_factor.reset(user=user, by=None)
        except second_factor.Refused as refused:
            raise CommandError(str(refused)) from None
        self.stdout.write(f"The second factor of {user} is reset; it is set up anew after the next login.")
