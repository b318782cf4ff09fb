#!/usr/bin/env python
"""Run Hemi's management commands."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hemi.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:  # a setting that is wrong is named; where it was read helps nobody
        sys.exit(f"Hemi cannot start: {error}")
