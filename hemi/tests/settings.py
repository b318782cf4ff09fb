"""The settings of the tests: fresh keys, a folder of their own, a public address, the sandbox's world allowed."""

import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet

_VAR = Path(__file__).resolve().parent.parent.parent / "var" / "test"
os.environ.update(
    HEMI_ENV_FILE=os.devnull,
    HEMI_VAR=os.environ.get("HEMI_TEST_VAR", str(_VAR)),
    SECRET_KEY=secrets.token_urlsafe(50),
    FIELD_ENCRYPTION_KEY=Fernet.generate_key().decode(),
    HEMI_BASE_URL="https://hemi.test",
    HEMI_SANDBOX="1",
    ALLOWED_HOSTS="*",
    STAFF_ALERT_EMAILS="staff@hemi.test",
    DEFAULT_FROM_EMAIL="Hemi <hemi@hemi.test>",
)

from hemi.settings import *  # noqa: E402, F403

TALLY_SECONDS = 0  # tests hand over what was counted when they look
SECURE_HSTS_SECONDS = 0
SECURE_SSL_REDIRECT = False
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = False
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "sessionid", "csrftoken"  # the others need https
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

STATIC_ROOT.mkdir(exist_ok=True)  # noqa: F405 whitenoise warns where it is missing
