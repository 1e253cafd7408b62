"""HTML of strangers: to plain text, and to HTML that may stand in a sandboxed frame. Pure.

Both are linear before they touch the sanitiser, which takes minutes on 200,000 nested tags.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from html import unescape

import nh3

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]{0,40})")
_NOT_NESTING_TAGS = (
    "area base br col embed hr img input link meta param source track wbr "
    "p li dt dd option optgroup tr td th tbody thead tfoot colgroup html head body"
)
#: They nest in nothing of their own kind: left open, the next one closes them.
_NOT_NESTING = frozenset(_NOT_NESTING_TAGS.split())
_BLOCK_TAGS = "p div br li tr td th h1 h2 h3 h4 h5 h6 blockquote pre ul ol table tbody hr"
_BREAKS = re.compile(
    r"<(br|/p|/div|/li|/tr|/h[1-6]|/blockquote|/pre|/ul|/ol|/table|hr)>", re.IGNORECASE
)
_ANY_TAG = re.compile(r"<[^<>]*>")
_SPACE = re.compile(r"[ \t\r\n\f\u00a0]+")
_EMPTY_LINES = re.compile(r"\n{3,}")
_SILENT = {"script", "style", "title", "head", "template", "noscript", "iframe", "object", "svg"}

_SHOWN_TAGS = (
    "a abbr b blockquote br caption center cite code col colgroup dd del div dl dt em font "
    "h1 h2 h3 h4 h5 h6 hr i img ins kbd li ol p pre q s samp small span strike strong sub sup "
    "table tbody td tfoot th thead tr tt u ul var"
)
_ATTRIBUTES = {
    "*": {"style", "dir", "lang", "align"},
    "a": {"href", "title"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan", "valign"},
    "th": {"colspan", "rowspan", "valign"},
    "font": {"color"},
    "ol": {"start"},
}
#: None of them takes an address.
_STYLES = {
    "color",
    "background-color",
    "font-weight",
    "font-style",
    "text-align",
    "text-decoration",
    "white-space",
}


class TooDeep(Exception):
    """More elements are open at one place than we follow."""


def check_depth(html: str, *, limit: int) -> None:
    """Raise ``TooDeep`` if more than ``limit`` elements are open at one place.

    One pass, without a tree. Markup made to deceive it meets the deadline instead.
    """
    opened: Counter[str] = Counter()
    depth = 0
    for match in _TAG.finditer(html):
        closing, name = match[1], match[2].lower()
        if name in _NOT_NESTING:
            continue
        if not closing:
            opened[name] += 1
            depth += 1
            if depth > limit:
                raise TooDeep(f"More than {limit} HTML elements are nested.")
        elif opened[name]:
            opened[name] -= 1
            depth -= 1


def to_text(html: str, *, depth: int) -> str:
    """The text of HTML, a block a line; scripts and styles are no text."""
    try:
        check_depth(html, limit=depth)
    except TooDeep:
        bare = _ANY_TAG.sub(" ", html)
    else:
        # Line breaks in the source are spaces, and must not be taken for those of the blocks.
        bare = nh3.clean(
            _SPACE.sub(" ", html),
            tags=set(_BLOCK_TAGS.split()),
            attributes={},
            clean_content_tags=set(_SILENT),
            link_rel=None,
        )
        bare = _BREAKS.sub("\n", bare).replace("</td>", " ").replace("</th>", " ")
        bare = _ANY_TAG.sub("", bare)
    lines = [_SPACE.sub(" ", line).strip() for line in unescape(bare).split("\n")]
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip()


def to_safe_html(
    html: str, *, depth: int, images: Mapping[str, str], remote_images: bool = False
) -> str:
    """HTML without anything that runs, submits, refers to the page around it or loads by itself.

    ``images`` gives the address for each Content-ID that may be shown; images from elsewhere
    lose their address unless ``remote_images``. Raises ``TooDeep``.
    """
    check_depth(html, limit=depth)
    ours = frozenset(images.values())

    def keep(tag: str, attribute: str, value: str) -> str | None:
        if (tag, attribute) != ("img", "src"):
            return value
        scheme, _colon, rest = value.strip().partition(":")
        if scheme.lower() == "cid":
            return images.get(rest.strip("<>"))
        if remote_images and scheme.lower() in ("http", "https"):
            return value
        return None

    return nh3.clean(
        html,
        tags=set(_SHOWN_TAGS.split()),
        clean_content_tags=set(_SILENT),
        attributes=_ATTRIBUTES,
        attribute_filter=keep,
        filter_style_properties=_STYLES,
        url_schemes={"http", "https", "mailto", "tel", "cid"},
        url_relative=lambda address: address if address in ours else None,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
