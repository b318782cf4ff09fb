"""What stores and their owners call."""

from django.urls import path, re_path

from integrations.views import arrivals, callbacks, proxy, storefront, webhooks

urlpatterns = [
    path("shopify/install/<uuid:uuid>/", arrivals.install, name="shopify-install"),
    path("shopify/callback/", callbacks.callback, name="shopify-callback"),
    path("shopify/callback/<uuid:uuid>/", callbacks.progress, name="shopify-progress"),
    path("shopify/callback/<uuid:uuid>/renew/", callbacks.renew, name="shopify-renew"),
    path("shopify/webhooks/<uuid:uuid>/", webhooks.of_account, name="shopify-webhooks"),
    path("shopify/webhooks/app/<uuid:uuid>/", webhooks.of_app, name="shopify-app-webhooks"),
    path("shopline/proxy", proxy.serve, name="shopline-proxy"),
    path("shopline/proxy/", proxy.serve),
    path("shopline/proxy/<path:path>", proxy.serve),
    re_path(r"^storefront/(?P<key>[^/]+)/(?P<prefix>[^/]+)/(?P<rest>(?s:.+))$", storefront.show, name="storefront"),
]
