"""From a text, its variables and a reader to what is sent: a subject, plain text and HTML."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from notifications import identity, layout
from notifications.catalog import Audience, mail_kind
from notifications.models import MailTemplate, Notification, OutgoingEmail
from notifications.phrases import PHRASES, spoken
from notifications.plaintext import one_line
from notifications.templates import in_force
from notifications.values import Value
from notifications.wording import line, paragraphs, worded

SUBJECT_LIMIT = 200


@dataclass(frozen=True, kw_only=True)
class Rendered:
    subject: str
    text: str
    html: str


def render(*, mail: OutgoingEmail, for_its_reader: bool = False) -> Rendered:
    """Make what is sent from a mail's frozen text and variables.

    Links that prove a mailbox are there only ``for_its_reader``, who is sent them. What merged
    into it follows its own words; load many ``with_texts``.
    """
    return _render(
        template=mail.template,
        earlier=[(part.template, part.variables) for part in mail.merged_from.all()],
        zone=mail.zone,
        variables=_with_keys(mail.variables) if for_its_reader else mail.variables,
        thread_subject=mail.thread_subject,
    )


def _with_keys(variables: Mapping[str, Value]) -> Mapping[str, Value]:
    found = dict(variables)
    for name, value in variables.items():
        if isinstance(value, Mapping) and value.get("phrase") == "hidden_link":
            key = identity.mailbox_key(str(value["nonce"]), str(value["key"]))
            found[name] = identity.mailbox_url(str(value["path"]), key)
    return found


def preview(
    *,
    template: str,
    language: str,
    zone: str,
    variables: Mapping[str, Value],
    now: datetime,
    thread_subject: str = "",
) -> Rendered:
    """Show a mail that is not queued, from the text in force. Raises ``UnknownTemplate``."""
    texts = in_force(keys=[template], languages=[language], now=now)
    found = texts.get(key=template, language=language)
    assert found is not None, "in_force() loads what is missing"
    return _render(template=found, zone=zone, variables=variables, thread_subject=thread_subject)


def sample(*, template: MailTemplate, zone: str = "Europe/Berlin") -> Rendered:
    """Show a text with the catalog's sample values."""
    return _render(
        template=template,
        zone=zone,
        variables=mail_kind(template.key).sample,
        thread_subject="",
    )


def worded_notification(
    notification: Notification, *, template: MailTemplate, zone: str
) -> tuple[str, str]:
    """Word a notification for its reader: (headline, text), from its mail's text."""
    words = _words(notification.variables, zone=zone, language=template.language)
    return (
        one_line(line(template.subject, words), limit=SUBJECT_LIMIT),
        "\n\n".join(paragraphs(template.text, words)),
    )


Part = tuple[MailTemplate, Mapping[str, Value]]
"""A text, and what to put into it."""


def _render(
    *,
    template: MailTemplate,
    zone: str,
    variables: Mapping[str, Value],
    thread_subject: str,
    earlier: Sequence[Part] = (),
) -> Rendered:
    language = spoken(template.language)
    words = _words(variables, zone=zone, language=language)
    subject = one_line(thread_subject or line(template.subject, words), limit=SUBJECT_LIMIT)
    audience = mail_kind(template.key).audience
    address = words.get("link" if audience is Audience.CUSTOMER else "url", "")
    footer = _footer(audience, address, language)
    parts = [
        (template.text, words),
        *(
            (part.text, _words(told, zone=zone, language=language))
            for part, told in _with_newest_time(earlier, variables)
        ),
    ]
    body = _body(parts, language=language)
    text = "\n\n".join([*body, f"-- \n{footer}" if footer else ""])
    return Rendered(
        subject=subject or words.get("ref", "") or "-",
        text=f"{text.rstrip()}\n",
        html=layout.page(
            subject=subject,
            language=language,
            paragraphs=(
                _linked(paragraph, words.get("key_link", ""))
                for paragraph in _body(parts, language=language, escape=_escaped)
            ),
            footer=_linked_footer(footer, address),
        ),
    )


def _body(
    parts: Sequence[tuple[str, Mapping[str, str]]],
    *,
    language: str,
    escape: Callable[[str], str] = str,
) -> list[str]:
    """The paragraphs of a letter, and after a line that says so those of what it took along."""
    filled: list[str] = []
    for number, (text, words) in enumerate(parts):
        if number == 1:
            filled.append(escape(PHRASES[language]["also_new"]))
        filled += paragraphs(text, words, escape=escape)
    return filled


def _with_newest_time(earlier: Sequence[Part], newest: Mapping[str, Value]) -> list[Part]:
    """Earlier parts, telling no other time than the newest one; the oldest comes first."""
    told = next(
        (
            variables[name]
            for variables in (newest, *(part[1] for part in reversed(earlier)))
            for name in ("new_due", "due")
            if variables.get(name)
        ),
        None,
    )
    return [
        (
            template,
            {
                name: told if name in ("new_due", "due") and value else value
                for name, value in variables.items()
            },
        )
        for template, variables in earlier
    ]


def _words(variables: Mapping[str, Value], *, zone: str, language: str) -> dict[str, str]:
    words = {name: worded(value, zone=zone, language=language) for name, value in variables.items()}
    if not words.get("name"):
        words["name"] = PHRASES[language]["no_name"]
    return words


def _footer(audience: Audience, address: str, language: str) -> str:
    if audience is Audience.CUSTOMER:
        key = "footer" if address else "footer_without_link"
    elif address:
        key = "footer_staff"
    else:
        return ""
    return line(PHRASES[language][key], {"link": address})


def _linked_footer(footer: str, address: str) -> str:
    """The footer as HTML, its address a link; the address of nothing but a web page is one."""
    before, found, after = footer.partition(address) if address else (footer, "", "")
    if found and address.startswith(("https://", "http://")):
        return f"{escape(before)}{layout.link(address)}{escape(after)}"
    return escape(footer)


def _linked(paragraph: str, address: str) -> str:
    """An escaped paragraph with its one address as a link."""
    if not address.startswith(("https://", "http://")):
        return paragraph
    return paragraph.replace(escape(address), layout.link(address), 1)


def _escaped(text: str) -> str:
    return escape(text).replace("\n", "<br>\n")
