"""Every page is the HTML it says it is: valid by a validator, parsed without an error, well named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from tinyhtml5.parser import HTMLParser

from tests.access.pages import every_page, is_page
from tests.access.rooms import Rooms
from tests.access.validator import Finding, is_whole, validate
from tests.pages.desk import html

pytestmark = pytest.mark.django_db

#: Hold words and what stands among words, nothing that stands on its own.
PHRASING = frozenset(
    ["abbr", "b", "bdi", "button", "cite", "code", "dfn", "em", "h1", "h2", "h3", "h4", "h5", "h6",
     "i", "kbd", "label", "legend", "mark", "p", "pre", "q", "s", "samp", "small", "span", "strong",
     "sub", "sup", "summary", "time", "u", "var"]
)  # fmt: skip
ALONE = frozenset(
    ["address", "article", "aside", "blockquote", "details", "dialog", "div", "dl", "fieldset",
     "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "main", "menu",
     "nav", "ol", "p", "pre", "section", "table", "ul"]
)  # fmt: skip
#: What one can press or fill in, which holds nothing of its kind.
ACTIVE = frozenset(
    ["a", "button", "details", "embed", "iframe", "input", "label", "select", "textarea"]
)
CHILDREN = {
    "ul": {"li"},
    "ol": {"li"},
    "menu": {"li"},
    "dl": {"dt", "dd", "div"},
    "select": {"option", "optgroup", "hr"},
    "table": {"caption", "colgroup", "thead", "tbody", "tfoot", "tr"},
    "tr": {"td", "th"},
}
REFERENCES = (
    "aria-controls", "aria-describedby", "aria-labelledby", "for", "form", "list", "popovertarget",
)  # fmt: skip


def test_a_validator_finds_nothing_in_any_page_or_fragment(rooms: Rooms) -> None:
    where: dict[str, str] = {}
    for place, answer in every_page(rooms):
        if is_page(answer):
            where.setdefault(html(answer), place)
    assert len(where) > 100
    first: dict[tuple[str, str], Finding] = {}
    for each in validate((place, page) for page, place in where.items()):
        first.setdefault((each.rule, each.message), each)
    assert list(first.values()) == []


def test_what_a_validator_should_find_is_found() -> None:
    page = '<!doctype html><html lang="en"><head><title>t</title></head><body>{}</body></html>'
    broken = {
        "element-permitted-content": page.format("<span><div>no</div></span>"),
        "element-permitted-parent": "<li>no</li>",
        "element-required-attributes": "<img>",
        "attribute-allowed-values": '<input type="no">',
        "attribute-misuse": '<a target="_blank">no</a>',
        "close-order": "<b><i>crossed</b></i>",
        "no-dup-attr": '<i class="a" class="b"></i>',
        "no-dup-class": '<i class="a a"></i>',
        "no-dup-id": '<i id="one"></i><i id="one"></i>',
        "no-implicit-close": "<ul><li>one<li>two</li></ul>",
        "no-missing-references": page.format('<label for="nothing">no</label>'),
        "missing-doctype": "<html lang='en'><head><title>t</title></head><body></body></html>",
        "unrecognized-char-ref": "&nosuch;",
        "deprecated": "<center>no</center>",
    }
    fine = (
        '<p>fine <b>words</b></p><ul><li><a href="/">go</a></li></ul><label for="there">Go</label>'
    )
    sound = {"whole": page.format(fine.replace("label", "b")), "fragment": fine}
    found = validate({**broken, **sound}.items())
    assert broken.keys() - {each.page for each in found if each.rule == each.page} == set()
    assert not [each for each in found if each.page in sound]


def test_every_page_is_parsed_without_an_error_and_well_named(rooms: Rooms) -> None:
    wrong: Counter[str] = Counter()
    where_seen: dict[str, str] = {}
    for where, answer in every_page(rooms):
        if not is_page(answer):
            continue
        for fault in faults(html(answer)):
            wrong[fault] += 1
            where_seen.setdefault(fault, where)
    assert wrong == {}, "\n".join(
        f"{n}× {fault} ({where_seen[fault]})" for fault, n in wrong.items()
    )


def test_what_is_not_valid_is_found() -> None:
    def found(body: str) -> list[str]:
        return list(faults(f"<!doctype html><html lang=en><title>t</title><body>{body}"))

    assert found("<p>fine <b>words</b></p><ul><li><a href=/>go</a></li></ul>") == []
    for broken in (
        "<p><div>no</div></p>",
        "<b><i>crossed</b></i>",
        "<span><div>no</div></span>",
        "<a href=/><button>no</button></a>",
        "<ul><p>no</p></ul>",
        "<i id=one></i><i id=one></i>",
        "<label for=nothing>no</label>",
        "<input name=unnamed>",
        "<button></button>",
        "<img src=/a.png>",
        "<i class=a class=b></i>",
        "<form><form></form></form>",
    ):
        assert found(broken), broken


def faults(page: str) -> Iterator[str]:
    """What is wrong with a page, or with a fragment as it comes into one."""
    whole = is_whole(page)
    parser = HTMLParser(namespace_html_elements=False)
    tree: Element = (
        parser.parse(page.encode(), full_tree=False)
        if whole
        else parser.parse_fragment(page, container="div")
    )
    for _position, code, data in parser.errors:
        yield f"{code} {data or ''}"
    parents = {child: parent for parent in tree.iter() for child in parent}
    elements = [each for each in tree.iter() if not callable(each.tag)]
    ids = Counter(each.attrib["id"] for each in elements if "id" in each.attrib)
    yield from (f"id {name} stands {n} times" for name, n in ids.items() if n > 1)
    labelled = {each.get("for") for each in elements if each.tag == "label"}
    for each in elements:
        yield from _nesting(each, parents)
        yield from _names(each, parents, labelled)
        for name in REFERENCES if whole else ():
            for wanted in each.get(name, "").split():
                if wanted not in ids:
                    yield f"<{each.tag} {name}={wanted}> leads nowhere"


def _above(each: Element, parents: dict[Element, Element]) -> Iterator[Element]:
    while each in parents:
        each = parents[each]
        if not callable(each.tag):
            yield each


def _nesting(each: Element, parents: dict[Element, Element]) -> Iterator[str]:
    parent = parents.get(each)
    if parent is not None and each.tag not in CHILDREN.get(parent.tag, {each.tag}):
        yield f"<{each.tag}> directly in <{parent.tag}>"
    for above in _above(each, parents):
        heading = above.tag == "summary" and each.tag[:1] == "h"
        if each.tag in ALONE and above.tag in PHRASING and not heading:
            yield f"<{each.tag}> in <{above.tag}>"
        if each.tag in ACTIVE and above.tag in ("a", "button", "summary"):
            yield f"<{each.tag}> in <{above.tag}>"
        if each.tag == above.tag == "label":
            yield "<label> in <label>"


def _names(each: Element, parents: dict[Element, Element], labelled: set[Any]) -> Iterator[str]:
    """Fields, buttons, links and pictures have a name for who does not see them."""
    if "hidden" in each.attrib:
        return
    named = each.get("aria-label") or each.get("aria-labelledby") or each.get("title")
    if each.tag in ("input", "select", "textarea") and each.get("type") not in ("hidden", "submit"):
        inside = any(above.tag == "label" for above in _above(each, parents))
        if not (named or inside or each.get("id") in labelled or each.get("aria-hidden")):
            yield f"<{each.tag} name={each.get('name')}> has no label"
    if each.tag == "img" and "alt" not in each.attrib:
        yield f"<img src={each.get('src', '')[:40]}> has no alt"
    if each.tag in ("a", "button", "summary") and not (named or "".join(each.itertext()).strip()):
        shown = any(below.get("aria-label") or below.get("alt") for below in each.iter())
        if not shown:
            yield f"<{each.tag} class={each.get('class')}> has no name"
