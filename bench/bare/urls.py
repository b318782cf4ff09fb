"""The one view and its address."""

import base64
import hashlib
import hmac

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from bench.bare.models import Event
from bench.bodies import SECRET


@csrf_exempt
def take(request: HttpRequest) -> HttpResponse:
    """Check the signature and insert the body."""
    digest = base64.b64encode(hmac.digest(SECRET.encode(), request.body, hashlib.sha256)).decode()
    if not hmac.compare_digest(digest, request.headers.get("X-Shopify-Hmac-Sha256", "")):
        return HttpResponse(status=401)
    Event.objects.create(
        webhook_id=request.headers["X-Shopify-Webhook-Id"],
        topic=request.headers["X-Shopify-Topic"],
        body=request.body,
    )
    return HttpResponse()


urlpatterns = [path("webhooks/", take)]
