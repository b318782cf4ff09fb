"""Errors told to Sentry, where SENTRY_DSN says so: which error, where in the code, and the ids of rows; nothing else.

What is sent is put together from a short list, not cleaned of what is known to be secret: no message of an exception
(it may quote what a customer wrote), no values of variables, no request, no user, no name of this machine.
"""

import logging
from typing import Any

import sentry_sdk
from django.core.exceptions import ImproperlyConfigured
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.integrations.threading import ThreadingIntegration
from sentry_sdk.utils import BadDsn

from hemi.lib import logs

_OURS = ("hemi", "integrations", "orders", "suppliers")  # loggers whose messages are names of events
_OF_A_FRAME = ("module", "function", "lineno", "in_app")
_OF_AN_EVENT = ("event_id", "timestamp", "level", "logger", "platform", "sdk", "environment")
_NUMBERS = ("account", "webhook_event", "order_id", "delivery_id", "endpoint_id", "install_link", "reply_id", "attempt")

Event = dict[str, Any]


def start(dsn: str) -> None:
    """Have errors of this process told. Raises ImproperlyConfigured."""
    try:
        sentry_sdk.init(
            dsn=dsn,
            before_send=_only_what_is_harmless,
            default_integrations=False,  # those that look into requests, and that add headers to our calls
            auto_enabling_integrations=False,
            integrations=[
                LoggingIntegration(level=None, event_level=logging.ERROR),
                ExcepthookIntegration(),
                AtexitIntegration(callback=_wait_quietly),  # or the error that ends a process would never leave
                ThreadingIntegration(propagate_scope=False),
                DedupeIntegration(),
            ],
            send_default_pii=False,
            include_local_variables=False,
            include_source_context=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            auto_session_tracking=False,
            send_client_reports=False,
            server_name="",
        )
    except BadDsn:
        raise ImproperlyConfigured(
            "SENTRY_DSN cannot be read. Copy it from the project's settings in Sentry."
        ) from None


def _wait_quietly(pending: int, timeout: float) -> None:
    """Sentry's own would write to the log, in lines that are no JSON."""


def _only_what_is_harmless(event: Any, hint: dict[str, Any]) -> Any:
    record = hint.get("log_record")
    told: Event = {name: event[name] for name in _OF_AN_EVENT if name in event}
    if record is not None and record.name.partition(".")[0] in _OURS:
        told["message"] = record.getMessage()
    errors = (event.get("exception") or {}).get("values") or []
    if errors:
        told["exception"] = {"values": [_error(error) for error in errors]}
    told["tags"] = {name: value for name in _NUMBERS if isinstance(value := _id(record, name), int)}
    return told


def _id(record: logging.LogRecord | None, name: str) -> Any:
    return getattr(record, name, None) or logs.followed(name)


def _error(error: Event) -> Event:
    frames = (error.get("stacktrace") or {}).get("frames") or []
    kept = [{name: frame[name] for name in _OF_A_FRAME if name in frame} for frame in frames]
    return {"type": error.get("type"), "module": error.get("module"), "stacktrace": {"frames": kept}}
