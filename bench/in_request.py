"""The peer that does everything before it answers: Flask, SQLite, XML and an FTP upload in one request.

The database is used as Flask's tutorial does it, a connection for each request and SQLite's own defaults; with
BENCH_TUNED each thread keeps its connection and writes ahead, as Hemi does.
"""

import base64
import ftplib
import hashlib
import hmac
import io
import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

from flask import Flask, Response, request
from lxml import etree

from bench.bodies import SECRET

_TABLE = "CREATE TABLE IF NOT EXISTS event (id INTEGER PRIMARY KEY, webhook_id TEXT, body BLOB)"
_INSERT = "INSERT INTO event (webhook_id, body) VALUES (?, ?)"
_kept = threading.local()


@contextmanager
def _database() -> Iterator[sqlite3.Connection]:
    if "BENCH_TUNED" not in os.environ:
        with closing(sqlite3.connect(os.environ["BENCH_DATABASE"], timeout=20)) as connection:
            yield connection
        return
    if not hasattr(_kept, "connection"):
        _kept.connection = sqlite3.connect(os.environ["BENCH_DATABASE"], timeout=20)
        _kept.connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
    yield _kept.connection


application = Flask(__name__)
with _database() as first:
    first.execute(_TABLE)


@application.post("/webhooks/")
def take() -> Response:
    """Verify, store, write the document, upload it, answer."""
    body = request.get_data()
    digest = base64.b64encode(hmac.digest(SECRET.encode(), body, hashlib.sha256)).decode()
    if not hmac.compare_digest(digest, request.headers.get("X-Shopify-Hmac-Sha256", "")):
        return Response(status=401)
    webhook_id = request.headers["X-Shopify-Webhook-Id"]
    with _database() as connection, connection:
        connection.execute(_INSERT, (webhook_id, body))
    _upload(f"ORDER_{webhook_id}.xml", _document(json.loads(body)))
    return Response()


def _document(order: dict) -> bytes:
    root = etree.Element("Order", number=order["name"])
    for line in order["line_items"]:
        row = etree.SubElement(root, "Line")
        for name in ("sku", "title", "quantity", "price"):
            etree.SubElement(row, name).text = str(line[name])
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _upload(name: str, document: bytes) -> None:
    with ftplib.FTP() as session:
        session.connect("127.0.0.1", int(os.environ["BENCH_FTP_PORT"]), timeout=30)
        session.login("bench", "bench-password")
        session.storbinary(f"STOR in/{name}.part", io.BytesIO(document))
        session.rename(f"in/{name}.part", f"in/{name}")
