"""The translations: each sentence in each language, and compiled from what is written."""

import gettext
import re
from pathlib import Path

import pytest
from django.conf import settings

LANGUAGES = ["de", "zh_Hant"]
_ENTRY = re.compile(r'(?:^#, python-format\n)?^msgid "((?:[^"\\]|\\.)*)"\nmsgstr "((?:[^"\\]|\\.)*)"$', re.MULTILINE)
_TRANSLATE = re.compile(r'{% translate "([^"]*)" %}')
_BLOCK = re.compile(r"{% blocktranslate[^%]*%}(.*?){% endblocktranslate %}", re.DOTALL)


def folder(language):
    return Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES"


def written(language):
    text = (folder(language) / "django.po").read_text()
    return {key: value for key, value in _ENTRY.findall(text) if key}


def said():
    """Return what the templates and the states say."""
    found = set(re.findall(r'_\("([^"]*)"\)', (settings.BASE_DIR / "suppliers/shown_order.py").read_text()))
    for path in (settings.BASE_DIR / "templates/storefront").glob("*.html"):
        found |= set(_TRANSLATE.findall(path.read_text()))
        found |= {re.sub(r"{{ (\w+) }}", r"%(\1)s", text) for text in _BLOCK.findall(path.read_text())}
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_sentence_is_translated(language):
    rows = written(language)
    assert len(said()) > 30
    assert set(rows) == said()
    assert all(rows.values())
    names = re.compile(r"%\(\w+\)s")
    for key, value in rows.items():
        assert sorted(names.findall(key)) == sorted(names.findall(value))


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_compiled_from_what_is_written(language):
    with (folder(language) / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    rows = written(language)
    assert {key: compiled.gettext(key) for key in rows} == rows
    assert set(vars(compiled)["_catalog"]) - {""} == set(rows)
