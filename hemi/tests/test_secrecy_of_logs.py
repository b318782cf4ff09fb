"""What Django logs by itself holds no query: codes, states and what people searched for stand in queries."""

import json
import logging

import pytest
from celery import Celery
from django.db import IntegrityError

from hemi.lib.logs import ConsoleFormatter, JsonFormatter

pytestmark = pytest.mark.django_db
CAUSE = "it began here\nbob@example.com"
QUOTES = 'broke "one_a_shop"\nDETAIL:  Failing row contains (bob@example.com,\nBob).'
SECRETS = ("SECRETCODE", "SECRETSTATE", "bob@example.com")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (
            "/shopify/callback/?code=SECRETCODE&hmac="
            + "0" * 64
            + "&shop=a.myshopify.com&state=SECRETSTATE&timestamp=1",
            403,
        ),
        ("/nowhere?email=bob@example.com", 404),
    ],
)
def test_a_refused_request_leaves_its_path_and_no_query(client, caplog, path, status):
    caplog.set_level(logging.INFO)
    assert client.get(path).status_code == status
    assert any(record.name == "django.request" for record in caplog.records)
    for formatter in (JsonFormatter(), ConsoleFormatter("%(message)s")):
        text = "\n".join(formatter.format(record) for record in caplog.records)
        assert [secret for secret in SECRETS if secret in text] == []


def test_what_the_database_quotes_is_left_out(caplog):
    app = Celery("tested", set_as_current=False, broker="memory://")

    @app.task(name="tested.fails")
    def fails() -> None:
        try:
            raise ValueError(CAUSE)
        except ValueError:
            raise IntegrityError(QUOTES)  # noqa: B904

    fails.apply()
    (record,) = [record for record in caplog.records if record.name == "celery.app.trace"]
    line = json.loads(JsonFormatter().format(record))
    assert "raised unexpected: IntegrityError" in line["event"]
    assert "ValueError: it began here\n" in line["traceback"]
    assert "in fails" in line["traceback"]
    assert line["traceback"].endswith('IntegrityError: broke "one_a_shop"')
    record.exc_text = None  # as another formatter kept it
    for text in (json.dumps(line), ConsoleFormatter("%(message)s").format(record)):
        assert [word for word in ("bob@", "Bob", "DETAIL") if word in text] == []
