"""A course's Markdown as HTML that is safe to show: what is not known is left out."""

from __future__ import annotations

from functools import lru_cache

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

_MARKDOWN = MarkdownIt("commonmark").enable("table")
#: Below the headings of the page it stands on; pictures would be fetched from elsewhere.
_TAGS = frozenset(
    [
        "a",
        "b",
        "blockquote",
        "br",
        "code",
        "em",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "li",
        "ol",
        "p",
        "pre",
        "strong",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "ul",
    ]
)


@lru_cache(maxsize=512)
def html_of(markdown: str) -> SafeString:
    """Markdown that somebody here wrote, as HTML without scripts, styles and pictures."""
    html = nh3.clean(
        _MARKDOWN.render(markdown),
        tags=set(_TAGS),
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    )
    return mark_safe(html)  # noqa: S308  # cleaned above
