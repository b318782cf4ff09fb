"""Every URL."""

from django.contrib import admin
from django.urls import include, path

from hemi import health

urlpatterns = [
    path("admin/", admin.site.urls),
    path("healthz", health.alive),
    path("readyz", health.ready),
    path("", include("integrations.urls")),
    path("", include("suppliers.urls")),
]
