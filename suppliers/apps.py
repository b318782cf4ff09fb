"""App configuration."""

from django.apps import AppConfig


class SuppliersConfig(AppConfig):
    """The suppliers app."""

    name = "suppliers"
