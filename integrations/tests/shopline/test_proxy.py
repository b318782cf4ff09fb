"""What of a shopper's request goes on to the app, without the network."""

import pytest

from integrations.shopline import proxy, queries, redirects, signatures

ADDED = {"merchant_id": "m1", "customer_id": "", "path_prefix": "/apps/orders", "timestamp": "1700000000"}


@pytest.mark.parametrize("path", ["", "a/b", "a//b/", "caf%C3%A9", "a%20b", "100%25", "a..b", "...", "a:b;c=1", "~x"])
def test_a_child_path_is_kept_as_it_is(path):
    assert proxy.child_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "../x",
        "a/../b",
        "a/..",
        "./a",
        "%2e%2e",
        "%2E%2e/x",
        ".%2e",
        "%2e.",
        "a%2fb",
        "a%2Fb",
        "a%5cb",
        "a\\b",
        "a%5C..",
        "a%00",
        "%252e%252e",
        "a%252fb",
        "a%25252fb",
        "a%0d%0ab",
        "%",
        "%4",
        "%zz",
    ],
)
def test_a_child_path_that_could_lead_elsewhere_is_refused(path):
    with pytest.raises(proxy.PathRefused):
        proxy.child_path(path)


@pytest.mark.parametrize("name", queries.RESERVED)
@pytest.mark.parametrize(
    "form",
    [
        "{}=x",
        "{}",
        "{}=",
        "{}[]=x",
        "{}[a]=x",
        "{}[a][b]=x",
        "{}%5B%5D=x",
        "{}%5ba%5d=x",
        "[{}]=x",
        "%5B{}%5D=x",
        "{}]=x",
        "{}[=x",
    ],
)
def test_reserved_names_are_dropped_however_they_are_written(name, form):
    escaped = "".join(f"%{ord(sign):02x}" for sign in name)
    for written in (name, escaped, f"%{ord(name[0]):02X}{name[1:]}"):
        assert proxy.shoppers_query(f"a=1&{form.format(written)}&b=2") == "a=1&b=2"


def test_the_rest_of_a_query_is_kept_as_it_is():
    query = "b=2&a=1&a=3&c[d]=x%20y+z&&e=&Customer_id=1&customer_ids=2&my[customer_id]=3&q=customer_id=4"
    assert proxy.shoppers_query(query) == query


def test_a_signed_query_holds_what_the_shopper_sent_and_then_what_the_storefront_adds():
    query = proxy.signed_query("b=2&a[]=1", ADDED, "hush")
    assert query.startswith("b=2&a[]=1&merchant_id=m1&customer_id=&path_prefix=%2Fapps%2Forders&timestamp=1700000000&")
    found = signatures.verify(query, ["hush"], now=1_700_000_000)
    assert found.values == {"b": "2", "a": ["1"], **ADDED}


def test_a_reserved_name_that_was_not_dropped_is_never_signed():
    for left in ("customer_id=7", "customer_id[a]=7", "signature=7"):
        with pytest.raises(queries.QueryRefused):
            proxy.signed_query(left, ADDED, "hush")


def test_what_the_app_would_read_in_two_ways_is_not_signed():
    for doubtful in ("__proto__=1", "a[b][c][d][e][f][g]=1", "a[20]=1", "&".join(["a=1"] * 1000), "a=%zz"):
        with pytest.raises(queries.QueryRefused):
            proxy.signed_query(doubtful, ADDED, "hush")


def test_the_signature_counts_among_the_parameters():
    most = "&".join(f"a{number}=1" for number in range(995))
    query = proxy.signed_query(most, ADDED, "hush")
    assert len(signatures.verify(query, ["hush"], now=1_700_000_000).values) == 999
    with pytest.raises(queries.QueryRefused):
        proxy.signed_query(f"{most}&one=more", ADDED, "hush")


def test_only_named_headers_go_on():
    sent = {
        "Accept": "text/html",
        "Accept-Language": "de",
        "User-Agent": "A browser",
        "Cookie": "sessionid=1",
        "Authorization": "Basic x",
        "Proxy-Authorization": "Basic x",
        "Connection": "keep-alive, Accept-Language",
        "Keep-Alive": "5",
        "TE": "trailers",
        "Transfer-Encoding": "chunked",
        "Upgrade": "websocket",
        "Host": "hemi.test",
        "Referer": "https://hemi.test/storefront/m1~token/",
        "Origin": "https://hemi.test",
        "X-Forwarded-For": "1.2.3.4",
        "X-Storefront-Customer": "7",
    }
    assert proxy.request_headers(sent) == {"Accept": "text/html", "User-Agent": "A browser"}


def test_only_named_headers_come_back():
    sent = [
        ("Content-Language", "de"),
        ("ETag", '"1"'),
        ("Vary", "Accept"),
        ("Connection", "close, vary"),
        ("Set-Cookie", "a=1"),
        ("origin", "https://x.example"),
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Allow-Methods", "GET"),
        ("Access-Control-Allow-Headers", "X-A"),
        ("Transfer-Encoding", "chunked"),
        ("Keep-Alive", "5"),
        ("WWW-Authenticate", "Basic"),
        ("Clear-Site-Data", '"*"'),
        ("Strict-Transport-Security", "max-age=0"),
        ("Alt-Svc", 'h2="evil.example:443"'),
        ("Refresh", "0; url=https://evil.example"),
        ("X-Accel-Redirect", "/etc/passwd"),
        ("Content-Security-Policy", "sandbox allow-scripts allow-same-origin"),
    ]
    passed = {"Content-Language": "de", "Etag": '"1"', "Cache-Control": "private, no-store"}
    assert proxy.answer_headers(sent) == passed


def test_a_header_that_comes_twice_is_kept_whole():
    sent = [("Vary", "Accept"), ("vary", "Cookie"), ("Cache-Control", "no-store"), ("Cache-Control", "max-age=60")]
    assert proxy.answer_headers(sent) == {"Vary": "Accept, Cookie", "Cache-Control": "private, no-store, max-age=60"}


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("max-age=5", "private, max-age=5"),
        ("public, max-age=5, s-maxage=60", "private, max-age=5"),
        ("no-store", "private, no-store"),
        ("private", "private, no-store"),
    ],
)
def test_shared_caches_keep_nothing(told, kept):
    assert proxy.answer_headers([("Cache-Control", told)])["Cache-Control"] == kept


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("text/html", "text/html"),
        ("Text/HTML; Charset=UTF-8", "text/html; charset=utf-8"),
        ('application/json;charset="utf-8"', "application/json; charset=utf-8"),
        ("text/plain", ""),
        ("application/javascript", ""),
        ("text/html, application/javascript", ""),
        ("text/htmlx", ""),
        ("text/html; boundary=x", ""),
        ("image/svg+xml", ""),
        ("", ""),
    ],
)
def test_only_two_content_types_are_shown(told, shown):
    assert proxy.content_type(told) == shown


def _relative(location, path="orders/1"):
    proxy_url = "https://app.example/proxy"
    return redirects.relative(
        location, url=f"{proxy_url}/{path}?a=1&signature=x", proxy_url=proxy_url, path_prefix="/apps/orders"
    )


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("2", "../orders/2"),
        ("../lists?page=2#top", "../lists?page=2#top"),
        ("/proxy/lists", "../lists"),
        ("https://app.example/proxy/", "../"),
        ("https://APP.example/proxy", "../"),
        ("//app.example/proxy/a:b", "../a:b"),
        ("/apps/orders/lists?x=1", "../lists?x=1"),
        ("/apps/orders", "../"),
        ("?b=2", "../orders/1?b=2"),
    ],
)
def test_a_redirect_below_the_proxy_url_stays_in_the_shop(location, shown):
    assert _relative(location) == shown


def test_a_redirect_never_turns_into_another_host():
    assert _relative("/proxy//evil.example/x", path="") == ".//evil.example/x"
    assert _relative("/proxy/javascript:x", path="") == "./javascript:x"


@pytest.mark.parametrize(
    "location",
    [
        "",
        "https://evil.example/proxy/",
        "//evil.example/proxy/",
        "http://app.example/proxy/",
        "https://app.example:444/proxy/",
        "https://app.example@evil.example/proxy/",
        "/admin/",
        "/proxyx/",
        "../../../admin/",
        "/proxy/%2e%2e/admin/",
        "/proxy/a%2f..",
        "/\\evil.example",
        "/proxy/\\evil.example",
        "javascript:alert(1)",
        "https://[",
    ],
)
def test_other_redirects_lead_nowhere(location):
    assert _relative(location) == ""
