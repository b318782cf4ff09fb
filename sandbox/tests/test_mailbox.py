"""The mailbox of the sandbox: mails in over SMTP, out over HTTP."""

import smtplib
from email.message import EmailMessage

import pytest
import requests

from sandbox.mailbox import Mailbox

LINK = "https://test.myshopify.com/admin/oauth/authorize?client_id=1&scope=read_orders"


@pytest.fixture
def mailbox():
    with Mailbox() as mailbox:
        yield mailbox


def mail(to="owner@example.com", subject="Connect your store – größer"):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Hemi <hemi@example.com>", to, subject
    message.set_content(f"Please open {LINK}.\nThank you, Zoë")
    message.add_alternative(
        f'<p>Hi <b>Zoë</b></p><script>alert(1)</script><a href="{LINK.replace("&", "&amp;")}">Go</a>', "html"
    )
    return message


def send(mailbox, message):
    host, port = mailbox.smtp_url.removeprefix("smtp://").split(":")
    with smtplib.SMTP(host, int(port), timeout=5) as client:
        client.send_message(message)


def test_mail_arrives_whole(mailbox):
    send(mailbox, mail())
    [arrived] = mailbox.wait_for(to="OWNER@example.com")
    assert arrived.subject == "Connect your store – größer"
    assert arrived.recipients == ("owner@example.com",)
    assert "Thank you, Zoë" in arrived.text
    assert "<b>Zoë</b>" in arrived.html
    assert arrived.links == [LINK]


def test_pages_show_the_mails(mailbox):
    send(mailbox, mail())
    send(mailbox, mail(to="second@example.com", subject="<script>alert(2)</script>"))
    listing = requests.get(mailbox.url, timeout=5)
    assert "Connect your store – größer" in listing.text
    assert "<script>" not in listing.text
    shown = requests.get(f"{mailbox.url}/mail/1", timeout=5)
    for part in ("Hemi &lt;hemi@example.com&gt;", "owner@example.com", "Thank you, Zoë", "&lt;b&gt;Zoë&lt;/b&gt;"):
        assert part in shown.text
    assert "<iframe sandbox=" in shown.text and "allow-scripts" not in shown.text
    assert "<script>" not in shown.text
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
    assert f'href="{LINK.replace("&", "&amp;")}" target="_blank"' in shown.text


def test_mails_as_json(mailbox):
    send(mailbox, mail())
    [told] = requests.get(f"{mailbox.url}/mails.json", timeout=5).json()
    assert told["links"] == [LINK]
    assert told["to"] == "owner@example.com"
    assert ["From", "Hemi <hemi@example.com>"] in told["headers"]
    assert "Zoë" in told["text"] and "Zoë" in told["html"]


def test_unknown_mail_is_404(mailbox):
    answer = requests.get(f"{mailbox.url}/mail/7", timeout=5)
    assert answer.status_code == 404
    assert "no such mail" in answer.json()["error"]


@pytest.mark.parametrize("code", [550, 451])
def test_refused_recipient(mailbox, code):
    mailbox.refuse_next(code, "Not today")
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        send(mailbox, mail())
    assert refused.value.recipients == {"owner@example.com": (code, b"Not today")}
    assert mailbox.mails == []
    send(mailbox, mail())
    assert len(mailbox.mails) == 1


def test_waiting_for_others_mail_is_in_vain(mailbox):
    send(mailbox, mail())
    with pytest.raises(TimeoutError, match=r"0 of 1 mails to other@example\.com"):
        mailbox.wait_for(to="other@example.com", timeout=0.05)
    with pytest.raises(TimeoutError, match="1 of 2 mails"):
        mailbox.wait_for(count=2, timeout=0.05)


def test_restart_on_the_same_ports_keeps_the_mails(mailbox):
    send(mailbox, mail())
    addresses = (mailbox.smtp_url, mailbox.url)
    mailbox.stop()
    with pytest.raises(ConnectionRefusedError):
        send(mailbox, mail())
    with pytest.raises(requests.ConnectionError):
        requests.get(mailbox.url, timeout=5)
    mailbox.start()
    assert (mailbox.smtp_url, mailbox.url) == addresses
    send(mailbox, mail())
    assert len(requests.get(f"{mailbox.url}/mails.json", timeout=5).json()) == 2


def test_mails_on_disk(tmp_path):
    with Mailbox(folder=tmp_path / "mails") as mailbox:
        send(mailbox, mail())
        mailbox.wait_for()
    [path] = (tmp_path / "mails").iterdir()
    assert b"Thank you" in path.read_bytes()


def test_two_mailboxes_are_apart(mailbox):
    with Mailbox() as second:
        send(second, mail())
        assert len(second.mails) == 1
        assert mailbox.mails == []
