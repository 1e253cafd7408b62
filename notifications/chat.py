"""One line for a chat channel, in the form in which its receiver takes it.

What customers wrote never becomes markup, a link or a call to everybody in the channel.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from notifications.models import Preset
from notifications.plaintext import one_line

#: What some of them refuse beyond; a line is short anyway.
LONGEST = 1500
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>:])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What happened in a few words, about what, and where to look."""

    ref: str
    what: str
    subject: str
    facts: tuple[str, ...]
    url: str

    @property
    def text(self) -> str:
        """What stands behind the reference."""
        told = f"{self.what}: {self.subject}" if self.subject else self.what
        return one_line(" · ".join((told, *(each for each in self.facts if each))), limit=LONGEST)

    @property
    def plain(self) -> str:
        return f"{self.ref} · {self.text}" if self.ref else self.text


def body(preset: str, line: Line) -> str:
    """The JSON that this receiver takes."""
    return json.dumps(_FORMS[preset](line), ensure_ascii=False, separators=(",", ":"))


def _slack(line: Line) -> Mapping[str, Any]:
    """Incoming webhook; the three characters Slack asks to be escaped, and no markup at all."""
    text = line.plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": f"{text} {line.url}".strip(), "mrkdwn": False, "unfurl_links": False}


def _google_chat(line: Line) -> Mapping[str, Any]:
    """Only pointed brackets call people or hide a link's target, and they cannot be escaped."""
    text = line.plain.replace("<", "‹").replace(">", "›")
    return {"text": f"{text} {line.url}".strip()}


def _mattermost(line: Line) -> Mapping[str, Any]:
    return {"text": _linked(line, f"({line.url})", _quiet(_escaped(line.text)))}


def _discord(line: Line) -> Mapping[str, Any]:
    return {
        # Pointed brackets keep it from showing a preview of the page.
        "content": _linked(line, f"(<{line.url}>)", _escaped(line.text)),
        "allowed_mentions": {"parse": []},
    }


def _teams(line: Line) -> Mapping[str, Any]:
    """A workflow's "when a webhook request is received"; the text runs know no markup."""
    actions = (
        [{"type": "Action.OpenUrl", "title": line.ref or "↗", "url": line.url}] if line.url else []
    )
    return {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": None,
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.4",
                    "body": [
                        {
                            "type": "RichTextBlock",
                            "inlines": [{"type": "TextRun", "text": line.plain}],
                        }
                    ],
                    "actions": actions,
                },
            }
        ],
    }


def _linked(line: Line, target: str, text: str) -> str:
    if not line.url:
        return text
    return f"[{_escaped(line.ref or '↗')}]{target} · {text}"


def _escaped(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)


def _quiet(text: str) -> str:
    """Mattermost would call everybody for ``@all`` in whatever text."""
    return text.replace("@", "@\u200b")


_FORMS: Mapping[str, Callable[[Line], Mapping[str, Any]]] = {
    Preset.SLACK: _slack,
    Preset.TEAMS: _teams,
    Preset.MATTERMOST: _mattermost,
    Preset.GOOGLE_CHAT: _google_chat,
    Preset.DISCORD: _discord,
}
