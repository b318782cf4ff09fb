"""Runs inside an installation: `python -m bench.inside MODULE` has the module answer what standard input asks."""

import importlib
import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hemi.settings")
django.setup()

print(json.dumps(importlib.import_module(sys.argv[1]).answer(**json.load(sys.stdin))))
