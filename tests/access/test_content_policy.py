"""No page needs, allows or does what a stranger's words could make use of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.access.pages import every_page, is_page
from tests.access.rooms import Rooms
from tests.pages.desk import Markup, html

pytestmark = pytest.mark.django_db

#: What a browser asks for, or sends somewhere, on its own or by a press.
_ADDRESSES = (
    "action", "background", "cite", "data", "formaction", "href", "hx-delete", "hx-get", "hx-patch",
    "hx-post", "hx-put", "manifest", "ping", "poster", "src", "srcset",
)  # fmt: skip
_ELSEWHERE = re.compile(
    r"\s*(?:[a-z][a-z0-9+.-]*:)?//|\s*(?:javascript|vbscript|data):", re.IGNORECASE
)
#: Letters and mails stand in a sandboxed frame, in their own looks and under stricter policies.
_FRAMED = re.compile(r"/(?:mail/[0-9]+|messages/[0-9]+)/html/")


def desk_pages(rooms: Rooms) -> Iterator[tuple[str, Any, Markup]]:
    for where, answer in every_page(rooms):
        if is_page(answer) and not (_FRAMED.search(where) and answer.status_code == 200):
            yield where, answer, Markup(html(answer))


def test_every_page_forbids_what_is_not_its_own_and_needs_nothing_else(rooms: Rooms) -> None:
    seen = 0
    for where, answer, markup in desk_pages(rooms):
        seen += 1
        policy = answer.headers["Content-Security-Policy"]
        nonces = re.findall(r"'nonce-([^']+)'", policy)
        assert "unsafe" not in policy, where
        for part in (
            "default-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ):
            assert part in policy, where
        assert not re.search(r"\s(?:\*|https?:)", policy), where
        for tag, carried in markup.elements:
            assert tag not in ("style", "object", "embed", "base", "applet"), where
            if tag == "script":
                # What is only data is not run.
                assert "src" in carried or carried.get("type") == "application/json", where
            if "nonce" in carried:
                assert carried["nonce"] in nonces, where
            for name, value in carried.items():
                assert name != "style", f"{where}: <{tag} {name}>"
                assert not name.startswith(("on", "hx-on")), f"{where}: <{tag} {name}>"
                # htmx would evaluate them.
                assert not value.lstrip().startswith(("js:", "javascript:")), (where, name)
                if name in _ADDRESSES:
                    assert not _ELSEWHERE.match(value), f"{where}: <{tag} {name}={value}>"
    assert seen > 150


def test_every_answer_says_how_it_is_to_be_taken(rooms: Rooms) -> None:
    for where, answer in every_page(rooms, of_admin=True):
        assert answer.headers["X-Content-Type-Options"] == "nosniff", where
        assert answer.headers["Referrer-Policy"] in ("same-origin", "no-referrer"), where
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin", where
        framed = _FRAMED.search(where) and answer.status_code == 200
        assert answer.headers["X-Frame-Options"] == ("SAMEORIGIN" if framed else "DENY"), where
        assert "Content-Security-Policy" in answer.headers, where
        for cookie in answer.cookies.values():
            assert cookie["samesite"] == "Lax", (where, cookie.key)
            assert cookie["httponly"] or cookie.key == "csrftoken", (where, cookie.key)


def test_what_strangers_wrote_is_framed_without_scripts_and_without_pictures_from_elsewhere(
    rooms: Rooms,
) -> None:
    for path, frames in (
        (f"/mail/{rooms.own.letter}/html/", "sandbox"),
        (f"/tickets/{rooms.own.ticket}/messages/{rooms.own.message}/html/", "sandbox"),
    ):
        answer = rooms.people["agent"].get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert frames in policy
        assert "allow-scripts" not in policy
        assert "allow-same-origin" not in policy
        assert "onclick" not in html(answer)


def test_a_file_is_kept_and_never_opened_in_place(rooms: Rooms) -> None:
    for person, path in (
        ("agent", f"/tickets/{rooms.own.ticket}/attachments/{rooms.own.attachment}/"),
        ("contact", f"/portal/{rooms.own.ticket}/files/{rooms.own.attachment}/"),
    ):
        answer = rooms.people[person].get(path)
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_only_the_configuration_has_a_looser_policy_and_it_too_keeps_to_itself(
    rooms: Rooms,
) -> None:
    for where, answer in every_page(rooms, of_admin=True):
        if not where.startswith("/admin/"):
            continue
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy, where
        assert "object-src 'none'" in policy, where
        assert not re.search(r"\s(?:\*|https?:)", policy), where
        for tag, carried in Markup(html(answer)).elements:
            if tag in ("script", "img", "link", "iframe"):
                for name in ("src", "href"):
                    assert not re.match(r"(?:https?:)?//", carried.get(name, "")), (where, carried)
