"""How gunicorn serves Hemi: threads, so that a page that waits for a store never holds up webhooks.

Measured on two cores with one SQLite insert of 10 kB a request: three sync workers 1,060/s, two with eight threads each
1,200/s. With six people at a time waiting ten seconds for a store, the sync workers came to a stand (5/s), the threads
did not notice. More processes only queue longer for SQLite's one write lock.

Between the internet and gunicorn stands a proxy that takes a request whole before it passes it on (nginx does unless
told otherwise): a few clients that send a byte a minute would hold every thread here.
"""

import json
import logging
import os
from datetime import UTC, datetime


class JsonLine(logging.Formatter):
    """What hemi.lib.logs writes; its module must not be loaded here, or it would outlive a reload to newer code."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "level": record.levelname.lower(), "logger": record.name, "event": record.getMessage()}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


bind = f"{os.environ.get('HEMI_HOST', '127.0.0.1')}:{os.environ.get('HEMI_PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
threads = 8
keepalive = 75  # longer than the proxy in front keeps an idle connection, so that it never writes into a closed one
graceful_timeout = 20
limit_request_line = 8190  # what nginx takes; signed queries with lists in them are long
control_socket_disable = True
accesslog = None  # addresses carry codes; the proxy in front and Hemi's own log say what happened
errorlog = "-"
loglevel = "warning"
if os.environ.get("LOG_FORMAT") == "json":
    logconfig_dict = {
        "formatters": {"json": {"()": JsonLine}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {"gunicorn.error": {"level": "WARNING"}, "gunicorn.access": {"level": "ERROR"}},
    }
