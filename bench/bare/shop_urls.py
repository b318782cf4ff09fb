"""The addresses of the views that answer shops."""

from django.urls import path

from bench.bare import shop_views

urlpatterns = [path("status.json", shop_views.status), path("nothing.json", shop_views.nothing)]
