"""Whether a customer's message says only thanks. Pure.

Such a message is filed and nothing more: it starts no clock, reopens nothing, and keeps a
snooze. An agent can flip it.
"""

from __future__ import annotations

import re

#: A word more might be news.
FEWER_THAN = 15

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_THANKS = re.compile(
    r"\b(?:thanks|thank\s+you|thx|ty|cheers|much\s+appreciated|appreciate\s+it"
    r"|danke(?:schön|sehr)?|dankeschön|vielen\s+dank|besten\s+dank|herzlichen\s+dank|merci)\b",
    re.IGNORECASE,
)
#: What turns thanks into news: "thanks, but it still fails".
_BUT = re.compile(
    r"\b(?:but|however|still|again|not|no|doesn['’]?t|isn['’]?t|can['’]?t|cannot|won['’]?t|didn['’]?t"
    r"|fails?|failing|failed|error|broken|wrong|another|please|unfortunately"
    r"|aber|jedoch|noch|wieder|nicht|kein|keine|fehler|kaputt|falsch|bitte|leider|trotzdem)\b",
    re.IGNORECASE,
)


def says_only_thanks(text: str, *, has_attachments: bool) -> bool:
    """Fewer than 15 words in a language we know, thanks among them, and nothing else to do."""
    if has_attachments or "?" in text or any(character.isdigit() for character in text):
        return False
    words = _WORD.findall(text)
    return 0 < len(words) < FEWER_THAN and bool(_THANKS.search(text)) and not _BUT.search(text)
