"""The peer of the webhook endpoint: a Django project with one view that checks the HMAC and does one INSERT."""
