"""Where Shopify posts: verify, insert, 200. Everything else happens later, from the row.

https://shopify.dev/docs/apps/build/webhooks/subscribe/https
"""

import logging
import re
import secrets
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, RequestDataTooBig
from django.db import DatabaseError, IntegrityError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.request import UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from hemi.lib import counters, insertion, queue
from hemi.lib.recent import Recent
from integrations import refused_requests, renames
from integrations.models import AccountShopify, IntegrationCredentials, WebhookEvent
from integrations.shopify import domains, signatures

log = logging.getLogger(__name__)

# Made anew at each start: nobody can sign with it. It keeps an unknown address as much work as a known one.
_DECOY = secrets.token_hex(16)
_MOST_DIGITS = 15  # of a length; Python reads no number of thousands of digits
# Plain SQL: building this query anew for each webhook would cost four times what running it does.
_LOOK_UP = """
    SELECT account.id, account.shop_name, credentials.client_secret,
        CASE WHEN credentials.previous_secret_until <= %s THEN '' ELSE credentials.previous_client_secret END
    FROM integrations_accountshopify AS account
    JOIN integrations_integration AS integration ON integration.id = account.integration_id
    JOIN integrations_integrationcredentials AS credentials ON credentials.integration_id = integration.id
    WHERE """
_BY_ACCOUNT = _LOOK_UP + "account.uuid = %s"
_BY_APP = _LOOK_UP + "integration.uuid = %s AND account.shop_name = %s"
_UUID = AccountShopify._meta.get_field("uuid")
_SECRET = IntegrationCredentials._meta.get_field("client_secret")
_REQUIRED = {"topic": "X-Shopify-Topic", "webhook_id": "X-Shopify-Webhook-Id"}
_NOTED = ("event_id", "api_version")
_OPTIONAL = {
    "shop_domain": "X-Shopify-Shop-Domain",
    "event_id": "X-Shopify-Event-Id",
    "api_version": "X-Shopify-API-Version",
}


def _length(column: str) -> int:
    return getattr(WebhookEvent._meta.get_field(column), "max_length")  # noqa: B009 - typed for relations, too


_PATTERNS = {name: re.compile(rf"[\x21-\x7e]{{1,{_length(name)}}}") for name in (*_REQUIRED, *_NOTED)}


class _Addressee(NamedTuple):
    """Whose webhook it is, and what it may be signed with."""

    account_id: int | None
    shop_name: str
    secrets: tuple[str | None, ...]

    def is_called(self, shop_domain: str) -> bool:
        """Tell whether a webhook that names this domain, or none, can be the store's."""
        return shop_domain.lower() in ("", f"{self.shop_name}.myshopify.com")


# A storm of one store looks its account up once a second. A secret that was taken away counts for that long.
_recent: Recent[_Addressee] = Recent(seconds=1)


class Refused(Exception):
    """The request is answered with this status and leaves nothing behind."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@csrf_exempt
def of_account(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Take a webhook that was subscribed for one store."""
    return _answer(request, _BY_ACCOUNT, [uuid])


@csrf_exempt
def of_app(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Take an app-wide webhook: the header picks one of this app's accounts and no other."""
    try:
        shop_name = domains.from_domain(request.headers.get("X-Shopify-Shop-Domain", "").lower())
    except ValueError:
        shop_name = ""
    return _answer(request, _BY_APP, [uuid, shop_name])


def _answer(request: HttpRequest, look_up: str, wanted: list) -> HttpResponse:
    if request.method != "POST":
        return _silent(HttpResponseNotAllowed(["POST"]))
    try:
        _receive(request, look_up, wanted)
    except Refused as refused:
        if refused.status == 401:
            refused_requests.note_webhook(request, wanted[0], is_of_app=look_up is _BY_APP)
        return _silent(HttpResponse(status=refused.status))
    except (DatabaseError, ImproperlyConfigured, OSError) as error:  # Shopify comes again
        log.error("webhook.not_stored", extra={"error": type(error).__name__, "cause": _cause(error)})
        return _silent(HttpResponse(status=503))
    return HttpResponse()


def _cause(error: Exception) -> str:
    """Name what the database's driver said: its sentences quote values, its names do not."""
    cause = error.__cause__ or error
    return getattr(cause, "sqlite_errorname", "") or type(cause).__name__


def _receive(request: HttpRequest, look_up: str, wanted: list) -> None:
    body = _body(request)
    claimed = request.headers.get("X-Shopify-Hmac-Sha256", "")
    addressee = _addressee(look_up, wanted, body, claimed)
    fields = _fields(request)
    if not addressee.is_called(fields["shop_domain"]):
        _recent.forget((look_up, *wanted))  # the store may have been renamed a moment ago
        addressee = _addressee(look_up, wanted, body, claimed)
    if not addressee.is_called(fields["shop_domain"]):
        # Another store's webhook, subscribed with this store's address; or this one's, renamed: then it comes again.
        if addressee.account_id is not None:
            renames.hint(addressee.account_id, fields["shop_domain"])
        raise Refused(401)
    _store({"account_id": addressee.account_id, "body": body, **fields})


def _addressee(look_up: str, wanted: list, body: bytes, claimed: str) -> _Addressee:
    """Return whom the address names, if the body is signed with a secret of theirs."""
    key = (look_up, *wanted)
    known = _recent.get(key)
    if known and _is_signed(known, body, claimed):
        return known
    found = _find(look_up, wanted)  # also where the secret was changed a moment ago
    if found.account_id is None and look_up is _BY_APP and renames.follow_body(wanted[0], body, claimed):
        found = _find(look_up, wanted)
    if not _is_signed(found, body, claimed) or found.account_id is None:
        raise Refused(401)
    _recent.put(key, found)
    return found


def _is_signed(addressee: _Addressee, body: bytes, claimed: str) -> bool:
    tried = [*filter(None, addressee.secrets), _DECOY, _DECOY][:2]
    return signatures.is_webhook_signed(body, claimed, tried)


def _body(request: HttpRequest) -> bytes:
    if request.headers.get("Transfer-Encoding"):  # Django would read such a body as empty
        raise Refused(411)
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        raise Refused(400)
    if len(length) > _MOST_DIGITS or int(length) > settings.WEBHOOK_MAX_BYTES:  # before a byte of it is read
        raise Refused(413)
    try:
        return request.body
    except RequestDataTooBig:
        raise Refused(413) from None
    except UnreadablePostError:
        raise Refused(400) from None


def _find(look_up: str, wanted: list) -> _Addressee:
    uuid, *rest = wanted
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    row = insertion.first_row(look_up, [now, _UUID.get_db_prep_value(uuid, connection), *rest])
    if row is None:
        return _Addressee(None, "", ())
    account_id, shop_name, *app_secrets = row
    return _Addressee(account_id, shop_name, tuple(_SECRET.from_db_value(secret) for secret in app_secrets))


def _fields(request: HttpRequest) -> dict:
    values = {name: request.headers.get(header, "") for name, header in (_REQUIRED | _OPTIONAL).items()}
    for name in _REQUIRED:
        if not _PATTERNS[name].fullmatch(values[name]):
            raise Refused(400)
    for name in _NOTED:
        if not _PATTERNS[name].fullmatch(values[name]):
            values[name] = ""  # an odd note is no reason to lose an order
    is_known = values["topic"] in settings.WEBHOOK_HANDLERS
    status = WebhookEvent.Status.NEW if is_known else WebhookEvent.Status.IGNORED
    return {**values, "status": status, "triggered_at": _time(request.headers.get("X-Shopify-Triggered-At", ""))}


def _time(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _store(values: dict) -> None:
    ids = {"topic": values["topic"], "webhook": values["webhook_id"], "account": values["account_id"]}
    try:
        key = insertion.insert(WebhookEvent, values, settings.WEBHOOK_LOCK_SECONDS)
    except IntegrityError:
        if not WebhookEvent.objects.filter(account_id=ids["account"], webhook_id=ids["webhook"]).exists():
            raise  # the account went away in between
        log.info("webhook.repeated", extra=ids)
        return
    log.info("webhook.accepted", extra={**ids, "webhook_event": key})
    if values["status"] == WebhookEvent.Status.NEW:
        queue.kick("integrations.process_events")


def _silent(response: HttpResponse) -> HttpResponse:
    counters.add(f"webhook.{response.status_code}")
    # Django would write a line for each, which anybody could make endless.
    vars(response)["_has_been_logged"] = True
    return response
