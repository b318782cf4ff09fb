"""Install a store as staff and its owner do."""

import time
from urllib.parse import parse_qsl, urlencode, urlsplit

from integrations.services import install_links
from integrations.shopify import signatures
from sandbox.shopify import give_consent


def consent(account, **choices):
    """Generate a link and give consent; return the link and the query that the browser comes back with."""
    link = install_links.get_or_make(account=account, by=None)
    return link, urlsplit(give_consent(install_links.authorize_url(link), **choices)).query


def signed(secret="hush", **fields):
    """Return a callback's query, signed."""
    query = urlencode({name: value for name, value in fields.items() if value is not None})
    return f"{query}&hmac={signatures.query_hmac(query, secret)}"


def query_for(link, secret="hush", **changes):
    """Return a callback's query for a link; a change to None leaves a parameter out."""
    fields = {
        "code": "0907a61c0c8d55e99db179b68161bc00",
        "host": "YWRtaW4uc2hvcGlmeS5jb20vc3RvcmUvdGVzdA",
        "shop": link.account.domain,
        "state": str(link.state),
        "timestamp": int(time.time()),
    }
    return signed(secret, **(fields | changes))


def without(query, name):
    """Return the query with one parameter gone, and not signed anew."""
    return urlencode([(key, value) for key, value in parse_qsl(query) if key != name])
