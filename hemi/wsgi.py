"""The web process."""

import os

from django.core.wsgi import get_wsgi_application

from hemi import canary

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hemi.settings")
application = get_wsgi_application()
canary.check()
