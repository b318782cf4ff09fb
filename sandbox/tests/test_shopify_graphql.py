import time

import pytest
import requests

from sandbox.shopify import VARIANTS, Behaviour, ShopifySandbox
from sandbox.tests.shopify_calls import CLIENT, SCOPES, ask, furnished

COLLECTIONS = """query Pages($first: Int!, $after: String) {
  collections(first: $first, after: $after, sortKey: UPDATED_AT) {
    nodes { id legacyResourceId handle title updatedAt sortOrder productsCount { count precision } sources { id } }
    pageInfo { hasNextPage endCursor }
  }
}"""
ORDER = """query One($id: ID!) { order(id: $id) {
  id name email test sourceName createdAt updatedAt cancelledAt displayFinancialStatus currencyCode taxesIncluded
  shippingAddress { name address1 city zip provinceCode countryCodeV2 } billingAddress { lastName }
  customer { id firstName defaultEmailAddress { emailAddress } }
  totalPriceSet { shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }
  shippingLine { title } taxLines { title rate priceSet { shopMoney { amount } } }
  lineItems(first: 150) { pageInfo { hasNextPage endCursor } nodes {
    id title variantTitle sku vendor quantity currentQuantity unfulfilledQuantity requiresShipping isGiftCard
    product { id productType } variant { id } originalUnitPriceSet { shopMoney { amount } }
    discountAllocations { allocatedAmountSet { shopMoney { amount } } discountApplication { index targetType } } } }
} }"""


@pytest.fixture
def sandbox():
    with ShopifySandbox(behaviour=Behaviour(hang_seconds=0.2)) as sandbox:
        yield furnished(sandbox)


@pytest.fixture
def token(sandbox):
    return sandbox.issue_token(CLIENT[0], "demo", SCOPES.split(","))


def test_shop_scopes_and_locations_in_one_document(sandbox, token):
    answer = ask(
        sandbox,
        token,
        "{ s: shop { name myshopifyDomain currencyCode plan { shopifyPlus } } "
        "currentAppInstallation { accessScopes { handle } } "
        "locations(first: 10, includeInactive: true) { nodes { name isActive address { countryCode } } } }",
    )
    data = answer.json()["data"]
    assert data["s"]["myshopifyDomain"] == "demo.myshopify.com"
    assert [row["handle"] for row in data["currentAppInstallation"]["accessScopes"]] == SCOPES.split(",")
    assert [row["name"] for row in data["locations"]["nodes"]] == ["Main warehouse", "Old depot", "Shop Kraków"]
    assert answer.headers["X-Shopify-API-Version"] == "2026-10"
    assert answer.headers["X-Request-Id"]


def test_retired_version_is_answered_by_the_oldest_supported(sandbox, token):
    answer = requests.post(
        f"{sandbox.url}/shops/demo/admin/api/2024-01/graphql.json",
        json={"query": "{ shop { name } }"},
        headers={"X-Shopify-Access-Token": token},
        timeout=5,
    )
    assert answer.headers["X-Shopify-API-Version"] == "2026-01"


def test_paging_reads_each_collection_once(sandbox, token):
    titles, after = [], None
    while True:
        page = ask(sandbox, token, COLLECTIONS, first=7, after=after).json()["data"]["collections"]
        titles += [row["title"] for row in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert len(titles) == len(set(titles)) == 30
    assert {"=cmd()", "夏のコレクション", "Łóżka"} <= set(titles)


def test_smart_collections_have_conditions_and_manual_ones_none(sandbox, token):
    document = """{ collections(first: 6) { nodes { title
      sources { ... on CollectionConditionsSource { inclusion { conditions { __typename } } } } } } }"""
    rows = ask(sandbox, token, document).json()["data"]["collections"]["nodes"]
    smart = [any(source["inclusion"]["conditions"] for source in row["sources"]) for row in rows]
    assert smart == [False, False, True, False, False, True]


def test_row_gone_between_pages_shifts_nothing(sandbox, token):
    sandbox.place_order("demo")
    kept = sandbox.place_order("demo")
    document = (
        "query($after: String) { orders(first: 1, after: $after, sortKey: ID) { nodes { id } pageInfo { endCursor } } }"
    )
    first = ask(sandbox, token, document).json()["data"]["orders"]
    del sandbox.state.shops["demo"].orders[int(first["nodes"][0]["id"].rsplit("/")[-1])]
    second = ask(sandbox, token, document, after=first["pageInfo"]["endCursor"]).json()["data"]["orders"]
    assert second["nodes"] == [{"id": f"gid://shopify/Order/{kept['id']}"}]


@pytest.mark.parametrize("arguments", ["", "(first: 251)", "(first: 0)", '(first: 5, after: "nonsense")'])
def test_wrong_paging_is_an_error(sandbox, token, arguments):
    answer = ask(sandbox, token, f"{{ products{arguments} {{ nodes {{ id }} }} }}").json()
    assert answer["errors"]
    assert answer.get("data") is None


@pytest.mark.parametrize(
    "document", ["{ shop { nothing } }", "{ shop {", "query A { shop { id } } query B { shop { id } }"]
)
def test_document_that_does_not_fit_the_schema_is_refused(sandbox, token, document):
    answer = ask(sandbox, token, document)
    assert answer.status_code == 200
    assert answer.json()["errors"]
    assert "data" not in answer.json()


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_order_can_be_read(sandbox, token, variant):
    order = sandbox.place_order("demo", variant)
    sandbox.buckets.resize(CLIENT[0], "demo", 10_000, 1000)
    answer = ask(sandbox, token, ORDER, id=f"gid://shopify/Order/{order['id']}").json()
    assert "errors" not in answer
    read = answer["data"]["order"]
    assert (read["name"], read["test"]) == (order["name"], order["test"])
    assert len(read["lineItems"]["nodes"]) == min(len(order["line_items"]), 150)
    for row, line in zip(read["lineItems"]["nodes"], order["line_items"], strict=False):
        assert (row["title"], row["vendor"], row["sku"]) == (line["title"], line["vendor"], line["sku"])
        assert float(row["originalUnitPriceSet"]["shopMoney"]["amount"]) == float(line["price"])


def test_api_amounts_drop_zeros(sandbox, token):
    order = sandbox.place_order("demo", total_price_set=None, total_price="24.50")
    answer = ask(sandbox, token, ORDER, id=f"gid://shopify/Order/{order['id']}").json()
    assert answer["data"]["order"]["totalPriceSet"]["shopMoney"]["amount"] == "24.5"


def test_orders_are_found_by_time_and_unknown_terms_warn(sandbox, token):
    old = sandbox.place_order("demo", updated_at="2026-01-01T00:00:00Z")
    new = sandbox.place_order("demo")
    document = "query($q: String) { orders(first: 5, sortKey: UPDATED_AT, query: $q) { nodes { legacyResourceId } } }"
    answer = ask(sandbox, token, document, q="updated_at:>='2026-06-01T00:00:00Z' AND colour:red").json()
    assert answer["data"]["orders"]["nodes"] == [{"legacyResourceId": str(new["id"])}]
    assert answer["extensions"]["search"][0]["warnings"] == ["Invalid search term: colour"]
    both = ask(sandbox, token, document, q=None).json()["data"]["orders"]["nodes"]
    assert [row["legacyResourceId"] for row in both] == [str(old["id"]), str(new["id"])]


def test_orders_older_than_sixty_days_need_read_all_orders(sandbox, token):
    order = sandbox.place_order("demo", created_at="2020-01-01T00:00:00Z")
    document = f'{{ order(id: "gid://shopify/Order/{order["id"]}") {{ name }} }}'
    assert ask(sandbox, token, document).json()["data"]["order"] is None
    all_orders = sandbox.issue_token(CLIENT[0], "demo", ["read_orders", "read_all_orders"])
    assert ask(sandbox, all_orders, document).json()["data"]["order"] == {"name": order["name"]}


def test_nodes_give_product_types_and_null_for_what_is_gone(sandbox, token):
    product = sandbox.state.shops["demo"].products[0]
    ids = [f"gid://shopify/Product/{product['id']}", "gid://shopify/Product/1"]
    document = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Product { productType vendor } } }"
    answer = ask(sandbox, token, document, ids=ids).json()
    assert answer["data"]["nodes"] == [{"productType": "Apparel", "vendor": "Northwind"}, None]


@pytest.mark.parametrize(
    ("field", "scope"), [("locations", "read_locations"), ("collections", "read_products"), ("orders", "read_orders")]
)
def test_field_without_its_scope_is_denied(sandbox, field, scope):
    document = f"{{ {field}(first: 1) {{ nodes {{ id }} }} }}"
    poor = sandbox.issue_token(CLIENT[0], "demo", ["read_themes"])
    error = ask(sandbox, poor, document).json()["errors"][0]
    assert error["extensions"]["code"] == "ACCESS_DENIED"
    assert scope in error["message"]
    writer = sandbox.issue_token(CLIENT[0], "demo", [scope.replace("read", "write")])
    assert "errors" not in ask(sandbox, writer, document).json()


def test_customer_without_its_scope_leaves_the_rest_of_the_order(sandbox):
    order = sandbox.place_order("demo")
    poor = sandbox.issue_token(CLIENT[0], "demo", ["read_orders"])
    document = f'{{ order(id: "gid://shopify/Order/{order["id"]}") {{ name customer {{ id }} }} }}'
    answer = ask(sandbox, poor, document).json()
    assert answer["data"]["order"] == {"name": order["name"], "customer": None}
    assert answer["errors"][0]["path"] == ["order", "customer"]


def test_cost_is_told_and_the_bucket_runs_dry_and_fills(sandbox, token):
    sandbox.buckets.resize(CLIENT[0], "demo", 600, 2000)
    cost = ask(sandbox, token, COLLECTIONS, first=250).json()["extensions"]["cost"]
    assert cost["requestedQueryCost"] == 502
    # 30 collections, all but the two empty ones with a source.
    assert cost["actualQueryCost"] == 2 + 30 + 28
    assert cost["throttleStatus"]["maximumAvailable"] == 600
    sandbox.buckets.resize(CLIENT[0], "demo", 600, 100)
    answers = [ask(sandbox, token, COLLECTIONS, first=250) for _ in range(5)]
    refused = [answer.json() for answer in answers if "errors" in answer.json()]
    assert {answer.status_code for answer in answers} == {200}
    assert refused
    assert refused[0]["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert refused[0]["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] < 502


def test_too_dear_a_query_is_refused(sandbox, token):
    document = "{ orders(first: 50) { nodes { lineItems(first: 50) { nodes { id } } } } }"
    error = ask(sandbox, token, document).json()["errors"][0]
    assert error["extensions"]["code"] == "MAX_COST_EXCEEDED"


@pytest.mark.parametrize("kind", ["429", "500", "502", "401"])
def test_http_faults_come_as_often_as_asked(sandbox, token, kind):
    sandbox.add_fault(kind, count=2)
    statuses = [ask(sandbox, token, "{ shop { name } }").status_code for _ in range(3)]
    assert statuses == [int(kind), int(kind), 200]


@pytest.mark.parametrize(("kind", "code"), [("throttled", "THROTTLED"), ("access_denied", "ACCESS_DENIED")])
def test_graphql_faults_come_with_status_200(sandbox, token, kind, code):
    sandbox.add_fault(kind)
    answer = ask(sandbox, token, "{ locations(first: 1) { nodes { id } } }")
    assert answer.status_code == 200
    assert answer.json()["errors"][0]["extensions"]["code"] == code
    assert "errors" not in ask(sandbox, token, "{ locations(first: 1) { nodes { id } } }").json()


def test_timeout_hangs_and_then_drops(sandbox, token):
    sandbox.add_fault("timeout")
    began = time.monotonic()
    with pytest.raises(requests.ConnectionError):
        ask(sandbox, token, "{ shop { name } }")
    assert time.monotonic() - began >= 0.2


def test_fault_of_one_shop_leaves_the_others(sandbox, token):
    sandbox.add_fault("500", shop="other")
    assert ask(sandbox, token, "{ shop { name } }").status_code == 200


def test_unknown_fault_is_refused(sandbox):
    with pytest.raises(ValueError, match="Unknown fault"):
        sandbox.add_fault("throttled", place="token")


@pytest.mark.parametrize("given", ["", "shpat_wrong"])
def test_wrong_token_is_401(sandbox, given):
    answer = ask(sandbox, given, "{ shop { name } }")
    assert answer.status_code == 401
    assert "Invalid API key" in answer.json()["errors"]


def test_token_of_another_shop_is_401(sandbox):
    sandbox.add_shop("other")
    assert ask(sandbox, sandbox.issue_token(CLIENT[0], "other", []), "{ shop { name } }").status_code == 401


def test_stop_cuts_kept_connections_and_start_goes_on(sandbox, token):
    with requests.Session() as session:
        session.get(sandbox.url, timeout=5)
        sandbox.stop()
        with pytest.raises(requests.ConnectionError):
            session.get(sandbox.url, timeout=5)
    sandbox.start()
    assert ask(sandbox, token, "{ shop { name } }").status_code == 200
