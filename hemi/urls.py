"""Every URL."""

from django.contrib import admin
from django.urls import include, path

from hemi import health
from hemi.metrics import page as metrics

urlpatterns = [
    path("admin/", admin.site.urls),
    path("healthz", health.alive),
    path("readyz", health.ready),
    path("metrics", metrics.show),
    path("", include("integrations.urls")),
    path("", include("suppliers.urls")),
]
