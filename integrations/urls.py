"""What stores and their owners call."""

from django.urls import path

from integrations.views import webhooks

urlpatterns = [
    path("shopify/webhooks/<uuid:uuid>/", webhooks.of_account, name="shopify-webhooks"),
    path("shopify/webhooks/app/<uuid:uuid>/", webhooks.of_app, name="shopify-app-webhooks"),
]
