"""Runs inside an installation: `python -m bench.inside MODULE` has the module answer each line of standard input."""

import gc
import importlib
import json
import os
import sys

import django

answers, sys.stdout = sys.stdout, sys.stderr  # nothing but answers among the answers
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hemi.settings")
django.setup()

module = importlib.import_module(sys.argv[1])
gc.freeze()  # as a worker does, hemi/celery.py
for line in sys.stdin:
    print(json.dumps(module.answer(**json.loads(line))), file=answers, flush=True)
