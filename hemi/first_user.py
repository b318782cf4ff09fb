"""The first user of a new installation: asked for on a terminal, made up otherwise."""

import getpass
import os
import secrets
import sys

from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

_NOTE = "This is shown once. Change the password in the back office, at the top right."


def make_if_none() -> None:
    """Make a first user with all permissions, if there is no user at all.

    DJANGO_SUPERUSER_USERNAME and DJANGO_SUPERUSER_PASSWORD are taken where they are set, as Django's own command does.
    """
    if get_user_model().objects.exists():
        return
    name, password = os.environ.get("DJANGO_SUPERUSER_USERNAME", "admin"), os.environ.get("DJANGO_SUPERUSER_PASSWORD")
    if not password and sys.stdin.isatty():
        name, password = _ask(name)
    elif not password:
        password = secrets.token_urlsafe(12)
        print(f"Made the first user: {name}, password {password}\n{_NOTE}", flush=True)
    get_user_model().objects.create_superuser(username=name, password=password)


def _ask(default: str) -> tuple[str, str]:
    print("There is no user yet. This one may do everything.")
    name = input(f"User name [{default}]: ").strip() or default
    while True:
        password = getpass.getpass("Password: ")
        try:
            validate_password(password)
        except ValidationError as error:
            print(" ".join(error.messages))
            continue
        if getpass.getpass("Password again: ") == password:
            return name, password
        print("The two are not the same.")
