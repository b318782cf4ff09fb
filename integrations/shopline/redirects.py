"""Where an app's redirect leads, seen from the shop: below the same Proxy URL or nowhere."""

from urllib.parse import urljoin, urlsplit

from integrations.shopline.proxy import PathRefused, ascii_only, child_path


def relative(location: str, *, url: str, proxy_url: str, path_prefix: str) -> str:
    """Return a redirect as an address relative to the shopper's page; blank where it leads elsewhere.

    `url` is what the app was asked for. An app may name the shop's own path (`path_prefix`) as well as its own.
    """
    here = _child(url, proxy_url)
    address, _, fragment = location.encode("utf-8", "replace").decode("latin-1").partition("#")
    target = ascii_only(address)
    if target == path_prefix or target.startswith((f"{path_prefix}/", f"{path_prefix}?")):
        target = f"{proxy_url}/{target[len(path_prefix) :].lstrip('/')}"
    try:
        found = urljoin(url, target) if target else ""
        there = _child(found, proxy_url)
        if here is None or there is None:
            return ""
        child_path(there)
    except (PathRefused, ValueError):
        return ""
    parts = urlsplit(found)
    # "./" first: neither a colon nor a slash at the start may make another address of it.
    up = "../" * here.count("/") or "./"
    return up + there + (f"?{parts.query}" if parts.query else "") + (f"#{ascii_only(fragment)}" if fragment else "")


def _child(url: str, proxy_url: str) -> str | None:
    asked, ours = urlsplit(url), urlsplit(proxy_url)
    if (asked.scheme, asked.netloc.lower()) != (ours.scheme, ours.netloc.lower()):
        return None
    root = ours.path.rstrip("/") + "/"
    if asked.path == root[:-1]:
        return ""
    return asked.path[len(root) :] if asked.path.startswith(root) else None
