"""What pages say often is said the quick way, and it is what Django's own way says."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.template.defaultfilters import linebreaks_filter, urlize
from django.utils import translation
from hypothesis import example, given, settings
from hypothesis import strategies as st

from desk.templatetags.desk import prose, word

PIECES = [
    *(
        "Hello there.",
        "see",
        "a.b",
        "1:2",
        "5 < 6 & \"7\" > '8'",
        "<b>bold</b>",
        "&lt;",
        "ends in .com",
    ),
    *(
        "https://example.com/a?b=1&c=2",
        "HTTP://Example.org.",
        "(www.example.net)",
        "<https://a.test>",
    ),
    *(
        "acme.com",
        "Acme.ORG/x",
        "x.company",
        "ftp://a.test",
        "http:/not",
        "anna@example.de,",
        "a@b",
    ),
    *("\n", "\n\n", "\r\n", "\r\n\r\n", "\t", " ", "\x1c", "\u2028"),
]


@example(["to anna@acme.de"])
@example(["on www.acme.test now"])
@example(["at acme.net/x"])
@example(["https://a.test"])
@settings(deadline=None)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6)), max_size=12))
def test_what_somebody_wrote_is_shown_with_the_links_and_paragraphs_django_finds(
    pieces: list[str],
) -> None:
    text = "".join(pieces)

    assert prose(text) == linebreaks_filter(urlize(text))


def test_nothing_that_somebody_wrote_becomes_a_tag() -> None:
    said = prose('<script>alert("1")</script>\nhttps://a.test/"><img src=x> & www.b.test<br>')

    assert "<script" not in said
    assert "<img" not in said
    assert said.count("<a ") == 2


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_choice_is_called_what_django_calls_it(language: str) -> None:
    with translation.override(language):
        for model in apps.get_models():
            for field in model._meta.concrete_fields:
                if not field.choices:
                    continue
                for value, _label in field.flatchoices:
                    row = model(**{field.attname: value})
                    said = getattr(row, f"get_{field.name}_display")()
                    assert word(row, field.name) == said, field
