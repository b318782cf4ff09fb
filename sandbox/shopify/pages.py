"""The sandbox's pages for people."""

from collections.abc import Iterable
from html import escape

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "ul.scopes{list-style:none;padding:0;columns:2}li{break-inside:avoid}button{font:inherit;padding:.4rem 1.4rem}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.2rem .6rem;border-bottom:1px solid #ddd}"
)


def page(title: str, content: str) -> str:
    """Return a whole page; the content is HTML already."""
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body><h1>{escape(title)}</h1>{content}</body></html>'


def consent_page(app: str, shop: str, scopes: Iterable[str], hidden: dict[str, str]) -> str:
    """Ask a client whether an app may be installed, and with which rights."""
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in hidden.items()
    )
    boxes = "".join(
        f'<li><label><input type="checkbox" name="scope" value="{escape(scope)}" checked> {escape(scope)}</label></li>'
        for scope in scopes
    )
    return page(
        f"Install {app}?",
        f"<p>{escape(app)} asks for access to <strong>{escape(shop)}</strong>. This is the sandbox's Shopify.</p>"
        f'<form method="post">{fields}<ul class="scopes">{boxes}</ul>'
        '<button name="decision" value="install">Install</button> '
        '<button name="decision" value="cancel">Cancel</button></form>',
    )


def error_page(message: str) -> str:
    """Say why a request for consent cannot be shown."""
    return page("This link does not work", f"<p>{escape(message)}</p>")


def table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a table; every cell is escaped."""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
