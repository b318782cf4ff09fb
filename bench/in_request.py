"""The peer that does everything before it answers: Flask, SQLite, XML and an FTP upload in one request."""

import base64
import ftplib
import hashlib
import hmac
import io
import json
import os
import sqlite3
import threading

from flask import Flask, Response, request
from lxml import etree

from bench.bodies import SECRET

application = Flask(__name__)
_own = threading.local()  # a connection for each thread: opening one for each request would be slower


def _database() -> sqlite3.Connection:
    if not hasattr(_own, "connection"):
        _own.connection = sqlite3.connect(os.environ["BENCH_DATABASE"], timeout=20, isolation_level=None)
        _own.connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
        _own.connection.execute("CREATE TABLE IF NOT EXISTS event (id INTEGER PRIMARY KEY, webhook_id TEXT, body BLOB)")
    return _own.connection


@application.post("/webhooks/")
def take() -> Response:
    """Verify, store, write the document, upload it, answer."""
    body = request.get_data()
    digest = base64.b64encode(hmac.digest(SECRET.encode(), body, hashlib.sha256)).decode()
    if not hmac.compare_digest(digest, request.headers.get("X-Shopify-Hmac-Sha256", "")):
        return Response(status=401)
    webhook_id = request.headers["X-Shopify-Webhook-Id"]
    _database().execute("INSERT INTO event (webhook_id, body) VALUES (?, ?)", (webhook_id, body))
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
