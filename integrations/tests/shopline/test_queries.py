"""How a query is read, and which ones are not read at all."""

import pytest

from integrations.shopline.queries import QueryRefused, read_extended, read_simple

TWENTY = [str(number) for number in range(20)]


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("", {}),
        ("a=1&b=2", {"a": "1", "b": "2"}),
        ("a=1&a=2", {"a": ["1", "2"]}),
        ("a=2&b=&a=1&a=", {"a": ["2", "1", ""], "b": ""}),
        ("a", {"a": ""}),
        ("a=&&b=1&", {"a": "", "b": "1"}),
        ("a[]=1", {"a": ["1"]}),
        ("a[]=1&a[]=2", {"a": ["1", "2"]}),
        ("a[]", {"a": [""]}),
        ("a[b]=1&a[c]=2", {"a": {"b": "1", "c": "2"}}),
        ("a%5Bb%5D=1&a[b]=2&a%5bb]=3", {"a": {"b": ["1", "2", "3"]}}),
        ("a[1]=x&a[0]=y", {"a": ["y", "x"]}),
        ("a[2][b]=x&a[1]=y&a[0]=z", {"a": ["z", "y", {"b": "x"}]}),
        ("a[0][b]=1&a[0][c]=2&a[1]=3", {"a": [{"b": "1", "c": "2"}, "3"]}),
        ("a[][b]=1&a[][c]=2", {"a": [{"b": "1", "c": "2"}]}),
        ("a[b][c][d][e][f]=1", {"a": {"b": {"c": {"d": {"e": {"f": "1"}}}}}}),
        ("a[01]=1&a[-1]=2", {"a": {"01": "1", "-1": "2"}}),
        ("a+b=c+d&e=%2B%20", {"a b": "c d", "e": "+ "}),
        ("q=Gr%C3%B6%C3%9Fe&%F0%9F%98%80=%00", {"q": "Größe", "😀": "\x00"}),
        ("q=a=b==", {"q": "a=b=="}),
        ("q=?/:@!$'()*,;\\|{}^`\"<>", {"q": "?/:@!$'()*,;\\|{}^`\"<>"}),
        ("constructor=1&toString[length]=2", {"constructor": "1", "toString": {"length": "2"}}),
        ("&".join(f"a={item}" for item in TWENTY), {"a": TWENTY}),
        ("&".join(f"a[{item}]={item}" for item in TWENTY), {"a": TWENTY}),
        ("&".join(f"a{number}=" for number in range(1000)), {f"a{number}": "" for number in range(1000)}),
    ],
)
def test_extended(query, values):
    assert read_extended(query) == values


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("a=1&a=2&a=3", {"a": ["1", "2", "3"]}),
        ("a[]=1&a[b]=2&a[b]=", {"a[]": "1", "a[b]": ["2", ""]}),
        ("a%5Bb%5D=+", {"a[b]": " "}),
        ("&".join(f"a={number}" for number in range(50)), {"a": [str(number) for number in range(50)]}),
    ],
)
def test_simple(query, values):
    assert read_simple(query) == values


BOTH = {
    "encoding": ["a=%", "a=%4", "a=%zz", "%F6=1", "a=%ED%A0%80", "a=%C0%AF", "a=%F5%80%80%80", "a=\xf6", "a= ", "a#b"],
    "dropped": ["=1", "a=1&=", "__proto__=1", "%5F_proto__", "__proto__=1&__proto__=2", "a=1&a", "a&a=1", "a&a"],
    "malformed": ["customer_id", "a=1&%63ustomer_id", "signature"],
    "parameters": ["&".join(["a=1"] * 1001), "&" * 1000],
    "length": ["a=" + "x" * 16_400],
    "brackets": ["a=b]=c", "a=b%5D=c", "a[b]=c]=d"],
}
ONLY_EXTENDED = {
    "dropped": ["a[__proto__]=1", "a[b][__proto__][c]=1", "__proto__[a]=1", "a%5b__proto__%5d=1"],
    "depth": ["a[b][c][d][e][f][g]=1", "a[][b][][c][d][e]=1"],
    "list": [
        "&".join(["a=1"] * 21),
        "&".join(["a[]=1"] * 21),
        "&".join(["a[b]=1"] * 21),
        "a[1]=1",
        "a[19]=x&a[3]=y",
        "a[b][0]=1&a[b][2]=1",
        "a[20]=1",
        "a[21]=1",
        "a[100]=1",
        "a[1000]=1",
        "a[4294967295]=1",
        "a[b][20]=1",
    ],
    "mixed": ["a=1&a[]=2", "a[b]=&a[b][c]=",
              "a[]=1&a=", "a=1&a[b]=2", "a[b]=1&a=2", "a[0]=1&a[b]=2", "a[0]=1&a[]=2", "a[]=1&a[][b]=2", "a&a[]="],
    "brackets": ["[a]=1", "[]=1", "[0]=1", "a[b=1", "a]=1", "a[b]c=1", "a[b]c[d]=1", "a[[b]]=1", "a[b]]=1", "[",
                 "a[][]=1", "a[][0]=1", "a[]b=1", "a[b][][]=1", "%5Bcustomer_id%5D=1"],
}  # fmt: skip


def cases(table):
    return [(rule, query) for rule, all_of_them in table.items() for query in all_of_them]


@pytest.mark.parametrize(("rule", "query"), cases(BOTH) + cases(ONLY_EXTENDED))
def test_extended_refuses(rule, query):
    with pytest.raises(QueryRefused) as refused:
        read_extended(query)
    assert refused.value.rule == rule
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize(("rule", "query"), cases(BOTH))
def test_simple_refuses(rule, query):
    with pytest.raises(QueryRefused) as refused:
        read_simple(query)
    assert refused.value.rule == rule
