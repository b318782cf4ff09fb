"""The canonical string, by the vectors that node made."""

import json
import os
from pathlib import Path

import pytest
from django.conf import settings

from integrations.shopline import canonical, signatures

DATA = Path(os.environ.get("HEMI_REFERENCE_DATA", settings.BASE_DIR.parent / "shared" / "data"))
INPUTS = {
    "plain": {"b": "2", "a": "1"},
    "intkeys": {"a": "1", "10": "x", "9": "y", "01": "z"},
    "nested": {"f": {"z": "1", "a": ["2", "1"]}, "a": ""},
    "arrobj": {"a": [{"z": "1", "b": "2"}]},
    "utf8": {"q": "Größe 東京 😀", "e": "a/b<>&"},
    "u2028": {"q": "\u2028\u2029\x7f"},
    "ctrl": {"q": "\x01\b\t\n\f\r\x1f"},
    "astral_vs_bmp_keys": {"😀": "1", "～": "2"},
    "lone": {"q": "\ud800x"},
    "proto": {"__proto__": "x", "a": "1"},
    "case": {"B": "1", "a": "2", "_": "3"},
    "prefix": {"ab": "1", "a": "2", "a_b": "3"},
    "num": {"n": 10.0, "m": 1e21, "k": 1e-7},
}


@pytest.fixture(scope="module")
def vectors():
    path = DATA / "shopline-proxy-vectors.jsonl"
    if not path.is_file():
        pytest.skip("needs the reference data: HEMI_REFERENCE_DATA")
    return {name: rest for name, *rest in map(json.loads, path.read_text().split("\n")[:-1])}


@pytest.mark.parametrize("name", INPUTS)
def test_vector(vectors, name):
    assert vectors[name] == [canonical.message(INPUTS[name]), signatures.sign(INPUTS[name], "hush")]


def test_every_vector_has_its_input(vectors):
    assert list(vectors) == list(INPUTS)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "{}"),
        ({"4294967295": "", "4294967294": "", "0": "", "00": ""}, '{"0":"","4294967294":"","00":"","4294967295":""}'),
        ({"-1": "", "1.5": "", "1": ""}, '{"1":"","-1":"","1.5":""}'),
        ({"a": {"10": "", "9": "", "b": []}}, '{"a":{"9":"","10":"","b":[]}}'),
        ({"q": "\udc00\ud800"}, '{"q":"\\udc00\\ud800"}'),
        ({"q": "\ud83d\ude00"}, '{"q":"😀"}'),  # two halves are one character
        ({"\udfff": "1", "z": "2"}, '{"z":"2","\\udfff":"1"}'),
        ({"q": "\\ud800"}, '{"q":"\\\\ud800"}'),
        ({"q": '"\\/\x00\x7f\x80\ufeff'}, '{"q":"\\"\\\\/\\u0000\x7f\x80\ufeff"}'),
        ({"a": {"__proto__": "x"}}, '{"a":{}}'),
        ({"x": 0.0, "y": -2.5e-9, "z": 123456789012345670000.0}, '{"x":0,"y":-2.5e-9,"z":123456789012345670000}'),
        ({"x": 0.000001, "y": 5e-324, "z": -12.5}, '{"x":0.000001,"y":5e-324,"z":-12.5}'),
    ],
)
def test_as_javascript_prints_it(values, message):
    assert canonical.message(values) == message
    canonical.message(values).encode()
