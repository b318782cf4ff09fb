"""What people paste as the name of a shop, and what a callback may say it is."""

import pytest

from integrations.shopify import domains


@pytest.mark.parametrize(
    "pasted",
    [
        "test",
        " Test \n",
        "test.myshopify.com",
        "TEST.myshopify.com/",
        "https://test.myshopify.com",
        "https://test.myshopify.com/admin",
        "https://test.myshopify.com/admin/",
        "https://admin.shopify.com/store/test",
        "admin.shopify.com/store/test/",
    ],
)
def test_becomes_the_name(pasted):
    assert domains.normalise(pasted) == "test"


@pytest.mark.parametrize(
    "pasted",
    [
        "",
        "   ",
        "test shop",
        "-test",
        "test_shop",
        "test.example.com",
        "a.b.myshopify.com",
        "test.myshopify.com.evil.test",
        "https://test.myshopify.com@evil.test",
        "https://evil.test/test.myshopify.com",
        "https://test.myshopify.com/admin/../../x",
        "https://admin.shopify.com/store/",
        "ftp://test.myshopify.com",
        "test\n.myshopify.com",
        "tést",
        "\u212aind",  # the Kelvin sign, lower case "k"
        "x" * 64,
    ],
)
def test_anything_else_is_refused_with_a_sentence(pasted):
    with pytest.raises(ValueError, match="is not the name of a Shopify store"):
        domains.normalise(pasted)


@pytest.mark.parametrize("domain", ["test.myshopify.com", "0-a.myshopify.com"])
def test_domain_in_full(domain):
    assert f"{domains.from_domain(domain)}.myshopify.com" == domain


@pytest.mark.parametrize(
    "domain",
    [
        "",
        "test",
        "test.myshopify.com\n",
        "test.myshopify.com.evil.test",
        "evil.test/test.myshopify.com",
        "a.b.myshopify.com",
        "-a.myshopify.com",
        "testXmyshopify.com",
        "\u212aind.myshopify.com",
    ],
)
def test_other_domains_are_refused(domain):
    with pytest.raises(ValueError, match="not the domain"):
        domains.from_domain(domain)
