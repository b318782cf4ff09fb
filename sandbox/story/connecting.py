"""From the mailed install link to a connected store."""

import csv
import io

from sandbox.browser import Browser
from sandbox.shopify import give_consent
from sandbox.story.stage import CLIENT_MAIL, SHOP, Stage, expect, until

COLLECTIONS = 30


def send_mail(stage: Stage) -> str:
    """Press the button on the account's page."""
    page = stage.staff.press(stage.pages["account"], "Send install email")
    expect("is mailed" in page.text, f"The account's page says: {page.text[:300]}")
    return f"“Send install email” pressed on {stage.pages['account']}"


def read_mail(stage: Stage) -> str:
    """Wait for the mail in the client's mailbox and find the link in it."""
    mail = until("the install mail", lambda: _mail(stage))
    links = [link for link in mail["links"] if "/admin/oauth/authorize?" in link]
    expect(len(links) == 1, f"The mail has {len(links)} install links instead of one.")
    stage.authorize_url = links[0]
    return f"“{mail['subject']}” in {stage.world['mailbox']['url']}, with a link to {links[0].split('?')[0]}"


def consent(stage: Stage) -> str:
    """Open the link, press Install, and wait on the page that follows until it says Connected."""
    with Browser() as client:
        page = client.open(give_consent(stage.authorize_url))
        address = page.url
        expect("code=" not in address, "The code stays in the client's address bar.")
        until("the page to say Connected", lambda: "Connected" in client.open(address).text)
    return f"{address} says Connected"


def see_token(stage: Stage) -> str:
    """See on the account's page that it is authorised, and that no token stands there."""
    page = stage.staff.open(stage.pages["account"])
    text = page.text.replace("Not connected", "")
    expect("Connected" in text, "The account's page does not say that it is connected.")
    expect(b"shpat_" not in page.content, "The account's page shows the token.")
    return "the account's page says Connected and shows no token"


def refresh_locations(stage: Stage) -> str:
    """Fill the dropdown of locations from the store."""
    stage.staff.press(stage.pages["account"], "Refresh Locations")
    form = stage.staff.open(stage.pages["account"]).form("_form")
    names = [option.text for option in form.inputs["location"].iterchildren("option") if option.get("value")]
    expect(names, "The dropdown of locations is empty.")
    return f"the dropdown offers {', '.join(names)}"


def get_collections(stage: Stage) -> str:
    """Download the list of collections."""
    page = stage.staff.press(stage.pages["account"], "Get Collections")
    expect("text/csv" in page.content_type, f"The answer is {page.content_type} instead of a CSV file.")
    rows = list(csv.DictReader(io.StringIO(page.content.decode("utf-8-sig"))))
    expect(len(rows) == COLLECTIONS, f"The CSV has {len(rows)} collections instead of {COLLECTIONS}.")
    return f"{len(rows)} collections, columns {', '.join(rows[0])}"


def see_webhooks(stage: Stage) -> str:
    """Wait until the store has the subscriptions, each with this account's address."""
    wanted = {"orders/create", "orders/updated", "orders/paid", "orders/cancelled"}
    rows = until("the webhooks to be subscribed", lambda: _subscribed(stage, wanted))
    return f"{', '.join(sorted(wanted))} go to {rows[0]['uri']}"


def _subscribed(stage: Stage, wanted: set[str]) -> list[dict]:
    rows = [row for row in stage.see("subscriptions")["subscriptions"] if row["shop"] == SHOP]
    return rows if wanted <= {row["topic"].lower().replace("_", "/", 1) for row in rows} else []


def _mail(stage: Stage) -> dict:
    return next((mail for mail in stage.mails() if CLIENT_MAIL in mail["envelope"]["to"]), {})
