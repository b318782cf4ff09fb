"""Settings read strictly: a value that cannot be meant stops Hemi at the start and is named."""

import ipaddress
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

_SWITCHES = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def number(name: str, text: str, least: int) -> int:
    """Return a whole number that is no less than `least`."""
    try:
        value = int(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, such as {max(least, 1)}.") from None
    if value < least:
        raise ImproperlyConfigured(f"{name} is {value}; set it to {least} or more.")
    return value


def switch(name: str, text: str) -> bool:
    """Return whether it is on; empty is off."""
    value = _SWITCHES.get(text.strip().lower() or "false")
    if value is None:
        raise ImproperlyConfigured(f"{name} must be true or false.")
    return value


def choice(name: str, text: str, choices: tuple[str, ...]) -> str:
    """Return one of the choices."""
    if text not in choices:
        raise ImproperlyConfigured(f"{name} must be one of: {', '.join(choices)}.")
    return text


def address(name: str, text: str, example: str, schemes: Iterable[str]) -> str:
    """Return the address of a server or file; blank where none is set. A wrong one is not quoted: it may be secret."""
    try:
        parts = urlsplit(text)
        is_right = parts.scheme in schemes and (parts.port is None or bool(parts.hostname))
    except ValueError:  # a port that is no number, an unclosed bracket
        is_right = False
    if text and not is_right:
        raise ImproperlyConfigured(
            f"{name} cannot be read. Write such as {example}, with %40, %3A, %2F, %23 for @ : / # in a password, "
            "or remove it from the environment."
        )
    return text


def networks(name: str, texts: Iterable[str]) -> list[str]:
    """Return the networks in their usual writing."""
    found = []
    for text in filter(None, map(str.strip, texts)):
        try:
            found.append(str(ipaddress.ip_network(text, strict=False)))
        except ValueError:
            said = f"{name} has “{text}”, which is no network. Write such as 10.0.0.0/8, separated by commas."
            raise ImproperlyConfigured(said) from None
    return found


def folder(name: str, text: str) -> Path:
    """Return a folder, made where it is missing."""
    path = Path(text).resolve()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        said = f"{name} cannot be made at {path} ({error.strerror}). Name a folder that Hemi's user may write to."
        raise ImproperlyConfigured(said) from None
    return path
