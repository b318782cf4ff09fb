"""As little as Django needs; the database exactly as Hemi sets it."""

from hemi import settings as hemi

SECRET_KEY = hemi.SECRET_KEY
ALLOWED_HOSTS = hemi.ALLOWED_HOSTS
DATABASES = hemi.DATABASES
DEFAULT_AUTO_FIELD = hemi.DEFAULT_AUTO_FIELD
USE_TZ = True
INSTALLED_APPS = ["bench.bare"]
ROOT_URLCONF = "bench.bare.urls"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
