"""What Django logs by itself holds no query: codes, states and what people searched for stand in queries."""

import logging

import pytest

from hemi.lib.logs import ConsoleFormatter, JsonFormatter

pytestmark = pytest.mark.django_db
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
