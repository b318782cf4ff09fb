"""Hemi's models in a bare Django project, so that its view can do the same reads."""

from hemi import settings as hemi

globals().update({name: value for name, value in vars(hemi).items() if name.isupper()})
ROOT_URLCONF = "bench.bare.shop_urls"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
