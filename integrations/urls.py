"""What stores and their owners call."""

from django.urls import path

from integrations.views import callbacks, webhooks

urlpatterns = [
    path("shopify/callback/", callbacks.callback, name="shopify-callback"),
    path("shopify/callback/<uuid:uuid>/", callbacks.progress, name="shopify-progress"),
    path("shopify/webhooks/<uuid:uuid>/", webhooks.of_account, name="shopify-webhooks"),
    path("shopify/webhooks/app/<uuid:uuid>/", webhooks.of_app, name="shopify-app-webhooks"),
]
