"""What staff enter before a store can connect."""

from sandbox.story.stage import CLIENT_ID, CLIENT_MAIL, CLIENT_SECRET, SHOP, Stage, expect, until

# Name in the sandbox -> name, code, vendor in the store, encoding of the files.
SUPPLIERS = {
    "northwind": ("Northwind Trading", "NORTH", "Northwind", "utf-8"),
    "suedhaus": ("Südhaus Möbel", "SUED", "Südhaus", "iso-8859-1"),
}


def log_in(stage: Stage) -> str:
    """Log in to the admin."""
    page = stage.staff.log_in(stage.login.user, stage.login.password)
    return f"{page.url} greets {stage.login.user}"


def enter_store(stage: Stage) -> str:
    """Register the app with Shopify, then enter client, integration, credentials and account."""
    redirect_uri = f"{stage.hemi}/shopify/callback/"
    stage.do("apps", client_id=CLIENT_ID, client_secret=CLIENT_SECRET, redirect_uris=[redirect_uri])
    stage.do("shops", name=SHOP, collections=30)
    staff, pages = stage.staff, stage.pages
    pages["client"] = staff.add("integrations/client", name="Aurora Goods")
    credentials = {"credentials-0-client_id": CLIENT_ID, "credentials-0-client_secret": CLIENT_SECRET}
    pages["app"] = staff.add("integrations/integration", name="Hemi Orders", **credentials)
    pages["account"] = staff.add(
        "integrations/accountshopify",
        shop_name=f"https://{SHOP}.myshopify.com/admin",
        client=stage.key("client"),
        integration=stage.key("app"),
        client_email=CLIENT_MAIL,
    )
    return f"{SHOP}.myshopify.com is an account of Aurora Goods: {pages['account']}"


def enter_suppliers(stage: Stage) -> str:
    """Enter an endpoint and a supplier for each supplier of the sandbox."""
    told = []
    for place, (name, code, _vendor, encoding) in SUPPLIERS.items():
        server = stage.world["suppliers"][place]
        endpoint = stage.staff.add(
            "suppliers/endpoint",
            name=f"{name} server",
            protocol=server["protocol"],
            host=server["host"],
            port=server["port"],
            username=server["user"],
            password=server["password"],
            orders_folder=server["orders_folder"],
            replies_folder=server["replies_folder"],
        )
        stage.pages[f"{code} endpoint"] = endpoint
        stage.pages[code] = stage.staff.add(
            "suppliers/supplier", name=name, code=code, endpoint=stage.key(f"{code} endpoint"), encoding=encoding
        )
        told.append(f"{code} at {server['host']}:{server['port']}")
    return ", ".join(told)


def enter_rules(stage: Stage) -> str:
    """Give each vendor's lines to its supplier."""
    told = []
    for _name, code, vendor, _encoding in SUPPLIERS.values():
        stage.staff.add("suppliers/routingrule", vendor=vendor, supplier=stage.key(code))
        told.append(f"vendor {vendor} goes to {code}")
    return ", ".join(told)


def test_connections(stage: Stage) -> str:
    """Test each connection; confirm who the server is by the fingerprint that the supplier gave; test again."""
    told = []
    for place, (_name, code, _vendor, _encoding) in SUPPLIERS.items():
        server, endpoint = stage.world["suppliers"][place], stage.pages[f"{code} endpoint"]
        found = _test(stage, endpoint)
        if server["identity"]:
            expect("Confirm identity" in found, f"{code} was trusted without being confirmed: {found[:500]}")
            stage.staff.press(endpoint, "Confirm identity", fingerprint=server["identity"])
            found = _test(stage, endpoint)
        expect("It works" in found, f"The test of {code} failed: {found[:1500]}")
        told.append(f"{code} works by {server['protocol'].upper()}")
    return ", ".join(told)


def go_live(stage: Stage) -> str:
    """Let real orders go to the suppliers."""
    told = []
    for _name, code, _vendor, _encoding in SUPPLIERS.values():
        page = stage.staff.press(stage.pages[code], "Go live")
        expect("is live" in page.text, f"{code} is not live: {page.text[:300]}")
        told.append(f"{code} is live")
    return ", ".join(told)


def _test(stage: Stage, endpoint: str) -> str:
    """Press the button, wait until the steps are done, and return what the page says."""
    page = stage.staff.press(endpoint, "Test connection").url
    return until("the test of the connection", lambda: _over(stage.staff.open(page).text))


def _over(text: str) -> str:
    return "" if "this page renews itself" in text else text
