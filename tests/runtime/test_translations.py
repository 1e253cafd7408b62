"""Everything people read can be read in German, on a machine without gettext's programs."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from django.test import Client
from django.utils.translation.template import templatize
from pytest_django import Settings

from helpdesk.translations import LOCALE, compile_all
from tests.processes import ROOT

GERMAN = polib.pofile(str(LOCALE / "de/LC_MESSAGES/django.po"))
PACKAGES = ("desk", "escalation", "helpdesk", "notifications", "staff", "tickets")

#: (context or none, words)
Words = tuple[str | None, str]

#: How many of a call's arguments are a context before the words.
CALLS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy"), 0),
    **dict.fromkeys(("pgettext", "pgettext_lazy", "npgettext", "npgettext_lazy"), 1),
}
_LITERAL = r"""('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")"""
#: What ``{% translate %}`` says comes back as ``gettext(u'…')``.
_IN_TEMPLATE = re.compile(rf"\b(\w*gettext|_)\(u?{_LITERAL}(?:,\s*u?{_LITERAL})?")


def in_python(path: Path) -> Iterator[Words]:
    for node in ast.walk(ast.parse(path.read_text())):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        first = CALLS.get(node.func.id)
        if first is None:
            continue
        said = [
            one.value
            for one in node.args[: first + 1]
            if isinstance(one, ast.Constant) and isinstance(one.value, str)
        ]
        if len(said) == first + 1:
            yield (said[0] if first else None, said[-1])


def in_template(path: Path) -> Iterator[Words]:
    for name, *literals in _IN_TEMPLATE.findall(templatize(path.read_text())):
        said = [ast.literal_eval(one) for one in literals if one]
        first = CALLS[name]
        yield (said[0] if first else None, said[first])


def test_whatever_people_read_has_been_collected() -> None:
    collected = {(entry.msgctxt, entry.msgid) for entry in GERMAN}
    spoken = {
        *(
            words
            for package in PACKAGES
            for path in (ROOT / package).rglob("*.py")
            for words in in_python(path)
        ),
        *(words for path in (ROOT / "templates").rglob("*.html") for words in in_template(path)),
    }
    assert len(spoken) > 500
    assert spoken - collected == set(), "run make messages, and say it in German"


def test_nothing_is_left_untranslated_or_unsure() -> None:
    assert [entry.msgid for entry in GERMAN.untranslated_entries()] == []
    assert [entry.msgid for entry in GERMAN.fuzzy_entries()] == []


def _names(text: str) -> list[str]:
    """What is filled in: ``%(name)s``."""
    return sorted(re.findall(r"%+\(\w+\)[sd]|%%", text))


def test_every_translation_fills_in_what_the_original_does() -> None:
    differing = []
    for entry in GERMAN:
        for text in [entry.msgstr] if entry.msgstr else entry.msgstr_plural.values():
            originals = [_names(entry.msgid), _names(entry.msgid_plural or entry.msgid)]
            if _names(text) not in originals:
                differing.append((entry.msgid, text))
    assert differing == []


@pytest.fixture
def compiled(tmp_path: Path, settings: Settings) -> list[Path]:
    """The translations compiled anew in a folder of the test's, and read from there."""
    shutil.copytree(LOCALE, tmp_path / "locale", ignore=shutil.ignore_patterns("*.mo"))
    written = compile_all(tmp_path / "locale")
    settings.LOCALE_PATHS = [tmp_path / "locale"]
    return written


@pytest.mark.django_db
def test_a_german_reader_gets_german_pages_and_others_english_ones(compiled: list[Path]) -> None:
    assert [path.name for path in compiled] == ["django.mo"]
    page = Client().get("/accounts/login/", headers={"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"})
    assert '<html lang="de"' in page.text
    assert "Anmelden" in page.text
    assert "Sign in" not in page.text

    page = Client().get("/accounts/login/", headers={"Accept-Language": "fr,en;q=0.5"})
    assert '<html lang="en"' in page.text
    assert "Sign in" in page.text


@pytest.mark.django_db
def test_an_error_is_told_in_german_too(compiled: list[Path]) -> None:
    page = Client().get("/nowhere/", headers={"Accept-Language": "de"})
    assert page.status_code == 404
    assert "Unter dieser Adresse ist nichts" in page.text


def test_compiling_leaves_nothing_but_what_is_read(compiled: list[Path]) -> None:
    [german] = compiled
    assert sorted(path.name for path in german.parent.iterdir()) == ["django.mo", "django.po"]
    assert len(polib.mofile(str(german))) == len(GERMAN)
