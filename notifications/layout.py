"""The page round a letter's words: made once, its style inlined, and filled for every letter.

Making it takes as long as everything else about putting a letter into words, and it is the same for
all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from html import escape

import css_inline
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

_BLANK = re.compile(r"\[\[([a-z]+)\]\]")
_LINK = '<a href="[[address]]">[[words]]</a>'
_PARAGRAPHS = re.compile(
    r"(?P<paragraph><p\b[^>]*>\[\[words\]\]</p>)\s*<p\b[^>]*>(?P<link><a\b.*?</a>)</p>", re.DOTALL
)
_FOOTER = re.compile(r"<footer\b.*?</footer>", re.DOTALL)


def page(*, subject: str, language: str, paragraphs: Iterable[str], footer: str) -> str:
    """A letter as HTML. Paragraphs and footer are HTML already, every value in them escaped."""
    form = _layout()
    return form.page.filled(
        subject=escape(subject),
        language=escape(language),
        paragraphs="\n      ".join(form.paragraph.filled(words=words) for words in paragraphs),
        footer=form.footer.filled(words=footer) if footer else "",
    )


def link(address: str) -> str:
    """An address as a link that says where it leads."""
    found = escape(address)
    return _layout().link.filled(address=found, words=found)


class _Form:
    """A text with blanks. What is filled in is taken as it is and not looked at for blanks."""

    def __init__(self, text: str) -> None:
        self._parts = _BLANK.split(text)

    def filled(self, **values: str) -> str:
        parts = self._parts.copy()
        parts[1::2] = [values[name] for name in parts[1::2]]
        return "".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    page: _Form
    paragraph: _Form
    link: _Form
    footer: _Form


@cache
def _layout() -> _Layout:
    plain = render_to_string(
        "notifications/mail.html",
        {
            "subject": "[[subject]]",
            "language": "[[language]]",
            "paragraphs": ["[[words]]", mark_safe(_LINK)],  # noqa: S308  # it is ours
            "footer": "[[words]]",
        },
    )
    inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
    html = inliner.inline(plain)
    paragraphs, footer = _PARAGRAPHS.search(html), _FOOTER.search(html)
    assert paragraphs is not None, "mail.html has paragraphs"
    assert footer is not None, "mail.html has a footer"
    html = html.replace(footer[0], "[[footer]]").replace(paragraphs[0], "[[paragraphs]]")
    return _Layout(
        page=_Form(html),
        paragraph=_Form(paragraphs["paragraph"]),
        link=_Form(paragraphs["link"]),
        footer=_Form(footer[0]),
    )
