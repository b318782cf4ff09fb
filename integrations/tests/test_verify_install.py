"""`verify_install` explains a refusal from its log line or its address, and gives nothing away."""

import io
import json
import logging
import time
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from hemi.lib.logs import ConsoleFormatter, JsonFormatter
from integrations.models import AccountShopify, InstallLink, Integration, IntegrationCredentials
from integrations.services import callbacks, install_links
from integrations.shopify import signatures
from integrations.tests.installing import query_for, signed

pytestmark = pytest.mark.django_db
PATH = "/shopify/callback/"
CODE = "0907a61c0c8d55e99db179b68161bc00"


@pytest.fixture
def link(account):
    return install_links.get_or_make(account=account, by=None)


@pytest.fixture
def explain(account, link):
    """Run the command; whatever it is asked, it gives away neither secret, code, state nor a whole digest."""
    state = str(link.state)

    def run(**source):
        out = io.StringIO()
        call_command("verify_install", "test", stdout=out, **source)
        text = out.getvalue()
        query = source.get("url", "").partition("?")[2]
        secrets = [state, CODE, CODE[:8], "hush", "wrong-one"]
        digests = [signatures.query_hmac(query, secret) for secret in ("hush", "wrong-one")] if query else []
        for hidden in [*secrets, *digests, query.rpartition("hmac=")[2]]:
            assert not hidden or hidden not in text
        return text

    return run


def lines_of(client, caplog, query, formatter):
    with caplog.at_level(logging.INFO):
        client.get(f"{PATH}?{query}")
    return [formatter.format(row) for row in caplog.records if row.getMessage() == "callback.refused"]


@pytest.mark.parametrize("formatter", [JsonFormatter(), ConsoleFormatter("%(levelname)s %(name)s: %(message)s")])
def test_wrong_signature_from_its_log_line(client, caplog, link, explain, formatter):
    query = query_for(link, secret="wrong-one")
    (line,) = lines_of(client, caplog, query, formatter)
    for hidden in (CODE, str(link.state), query.rpartition("hmac=")[2]):
        assert hidden not in line
    text = explain(line=line)
    assert "code=<32>&host=" in text and "&shop=test.myshopify.com&state=<64>&timestamp=" in text
    assert "Rule:     hmac" in text
    assert f"claimed {query.rpartition('hmac=')[2][:6]}…, expected {signatures.query_hmac(query, 'hush')[:6]}…" in text
    assert f"Link:     {link.pk}, now Open" in text


def expire(link):
    InstallLink.objects.update(expires_at=timezone.now() - timedelta(hours=1))


def supersede(link):
    AccountShopify.objects.update(access_scopes="read_orders")
    install_links.get_or_make(account=AccountShopify.objects.get(), by=None)


def use(link):
    callbacks.receive(query_for(link, code="another"))


@pytest.mark.parametrize(
    ("spoil", "changes", "rule"),
    [
        (None, {"secret": "wrong-one"}, "hmac"),
        (None, {"timestamp": int(time.time()) - 1000}, "timestamp"),
        (None, {"state": "0" * 64}, "state_unknown"),
        (None, {"shop": "evil.test"}, "shop"),
        (None, {"shop": "other.myshopify.com"}, "state_of_other_shop"),
        (None, {"code": None}, "incomplete"),
        (None, {"timestamp": "soon"}, "malformed"),
        (expire, {}, "state_expired"),
        (supersede, {}, "state_replaced"),
        (use, {}, "state_used"),
    ],
)
def test_address_and_log_line_name_the_rule_that_the_callback_named(
    client, caplog, link, explain, spoil, changes, rule
):
    query = query_for(link, **changes)
    if spoil:
        spoil(link)
    before = list(InstallLink.objects.order_by("pk").values())
    text = explain(url=f"https://hemi.test{PATH}?{query}")
    assert next(line for line in text.splitlines() if line.startswith(("FAILED", "LATE"))).split()[1] == f"{rule}:"
    assert list(InstallLink.objects.order_by("pk").values()) == before
    (line,) = lines_of(client, caplog, query, JsonFormatter())
    assert json.loads(line)["rule"] == rule
    assert f"Rule:     {rule}" in explain(line=line)


def test_good_address_passes_every_rule(link, explain):
    query = query_for(link)
    text = explain(url=f"https://hemi.test{PATH}?{query}")
    assert "FAILED" not in text and text.count("\nok ") == 4
    assert f"with the current secret it begins {query.rpartition('hmac=')[2][:8]}" in text


def test_secret_of_another_app_or_of_yesterday_is_named(link, explain):
    other = Integration.objects.create(name="The other app")
    IntegrationCredentials.objects.create(integration=other, client_id="client-2", client_secret="shush")
    assert "another app: The other app." in explain(url=f"https://hemi.test/?{query_for(link, secret='shush')}")
    credentials = IntegrationCredentials.objects.get(client_id="client-1")
    credentials.previous_client_secret = "old"
    credentials.previous_secret_until = timezone.now() - timedelta(days=1)
    credentials.save()
    assert "its time is over" in explain(url=f"https://hemi.test/?{query_for(link, secret='old')}")


def test_visit_to_the_app_url(link, explain):
    query = signed("wrong-one", shop="test.myshopify.com", timestamp=int(time.time()))
    text = explain(url=f"https://hemi.test/shopify/install/{link.integration.uuid}/?{query}")
    assert "FAILED    hmac" in text and "state" not in text


def test_account_alone_tells_its_newest_link(client, link, explain):
    client.get(f"{PATH}?{query_for(link, secret='wrong-one')}")
    text = explain()
    assert f"The newest link is {link.pk}: Open." in text
    assert "A callback was refused: its signature does not fit" in text


@pytest.mark.parametrize("source", [{"line": "nothing"}, {"line": "rule='"}, {"line": "[1]"}])
def test_other_lines_are_named_as_such(explain, source):
    assert "no line of a refused callback" in explain(**source)


def test_unknown_account():
    with pytest.raises(CommandError, match="There is no account nobody"):
        call_command("verify_install", "nobody")
