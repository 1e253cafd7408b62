"""What every page is made of: icons, chips, avatars and times.

Tags that say how long something takes read the page's ``now`` from the context: a view puts it
there. Without it they say the exact time, and the page's script turns it into words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from functools import cache, lru_cache
from typing import Any

from django import template
from django.db.models import Field, Model
from django.forms import BoundField
from django.http import HttpRequest
from django.template.context import Context
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape, format_html, linebreaks, urlize
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from desk import rail as rail_of
from desk import settingstabs, timewords
from desk.timewords import Due, due_word
from desk.training import tabs as trainingtabs
from notifications import pausing
from notifications.models import OutboxPause
from staff.models import User
from tickets.models import Ticket
from tickets.models.ticket import Level, Status

register = template.Library()

#: Shades for avatars; the style sheet has one rule for each.
SHADES = 8
#: How close a due time must be for a chip to warn, where nobody says otherwise.
SOON = timedelta(hours=1)

_STATUS = {
    Status.NEW: ("info", "sparkles"),
    Status.OPEN: ("info", "circle-dot"),
    Status.WAITING: ("idle", "message-question"),
    Status.ON_HOLD: ("idle", "player-pause"),
    Status.RESOLVED: ("ok", "circle-check"),
    Status.CLOSED: ("idle", "archive"),
}
_PRIORITY = {1: "bad", 2: "warn", 3: "idle", 4: "idle"}
#: Without one of these there is nothing in a text that ``urlize`` makes a link of.
_LINK = re.compile(r"https?://|www\.|@|\.(?:com|edu|gov|int|mil|net|org)", re.IGNORECASE)


def _now(context: Context) -> datetime | None:
    now = context.get("now")
    return now if isinstance(now, datetime) else None


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """A Tabler icon by name; with a label where no word stands beside it."""
    if label:
        return format_html('<i class="ti ti-{}" role="img" aria-label="{}"></i>', name, label)
    return _symbol(name)


@lru_cache(maxsize=512)
def _symbol(name: str) -> SafeString:
    return format_html('<i class="ti ti-{}" aria-hidden="true"></i>', name)


@register.simple_tag
def chip(text: str, level: str = "idle", symbol: str = "", title: str = "") -> SafeString:
    """A word with a colour and an icon; level is bad, warn, ok, info or idle."""
    return format_html(
        '<span class="chip chip-{}"{}>{}<span>{}</span></span>',
        level,
        format_html(' title="{}"', title) if title else "",
        icon(symbol) if symbol else "",
        text,
    )


@register.simple_tag
def status_chip(ticket: Ticket) -> SafeString:
    """A ticket's status in its word, colour and icon."""
    return _status_chip(Status(ticket.status), get_language())


@cache
def _status_chip(status: Status, _language: str | None) -> SafeString:
    level, symbol = _STATUS[status]
    return chip(str(status.label), level, symbol)


@register.simple_tag
def status_word(ticket: Ticket) -> SafeString:
    """A ticket's status as plain small text with its icon, for rows."""
    return format_html(
        '<span class="status">{}{}</span>',
        icon(_STATUS[Status(ticket.status)][1]),
        ticket.get_status_display(),
    )


@register.simple_tag
def priority_chip(ticket: Ticket) -> SafeString:
    """A ticket's priority, P1 to P4."""
    return _priority_chip(ticket.priority, ticket.impact, ticket.urgency, get_language())


@cache
def _priority_chip(priority: int, impact: int, urgency: int, _language: str | None) -> SafeString:
    """There are nine in each language."""
    return format_html(
        '<span class="chip chip-{} prio" title="{}">P{}</span>',
        _PRIORITY[priority],
        _("Impact: %(impact)s, urgency: %(urgency)s")
        % {"impact": Level(impact).label, "urgency": Level(urgency).label},
        priority,
    )


@register.simple_tag
def avatar(user: User | None, size: str = "") -> SafeString:
    """The initials of a member of staff in a disc; size is empty, ``sm`` or ``lg``."""
    kind = f" face-{size}" if size else ""
    if user is None:
        nobody = _("Nobody yet")
        return format_html(
            '<span class="face face-none{}" role="img" aria-label="{}" title="{}">{}</span>',
            kind,
            nobody,
            nobody,
            icon("user-plus"),
        )
    return _face(user.pk % SHADES, kind, user.name, user.initials)


@lru_cache(maxsize=1024)
def _face(shade: int, kind: str, name: str, letters: str) -> SafeString:
    return format_html(
        '<span class="face face-{}{}" role="img" aria-label="{}" title="{}">{}</span>',
        shade,
        kind,
        name,
        name,
        letters,
    )


@register.simple_tag
def initials(name: str, size: str = "") -> SafeString:
    """The initials of anybody's name, for contacts; decoration beside the name."""
    kind = f" face-{size}" if size else ""
    return _initials(name, kind)


@lru_cache(maxsize=1024)
def _initials(name: str, kind: str) -> SafeString:
    parts = name.split() or ["?"]
    letters = (parts[0][:1] + (parts[-1][:1] if len(parts) > 1 else "")).upper()
    return format_html(
        '<span class="face face-contact{}" aria-hidden="true">{}</span>', kind, letters
    )


@register.simple_tag(takes_context=True)
def moment(context: Context, at: datetime | None) -> SafeString:
    """A time that is over or to come, relative, with the exact one on hover."""
    if at is None:
        return SafeString("")
    now = _now(context)
    return _time(at, timewords.relative(at, now) if now else None, "data-moment")


@register.simple_tag(takes_context=True)
def at_clock(context: Context, at: datetime | None) -> SafeString:
    """A time by the clock ("14:00", "Tue 24 Nov, 14:00"), with the exact one on hover."""
    if at is None:
        return SafeString("")
    now = _now(context)
    return _time(at, timewords.clock(at, now) if now else None)


@register.simple_tag(takes_context=True)
def on_day(context: Context, day: date) -> str:
    """A day of the calendar, or of a time ("26 Nov", with its year where it is another one)."""
    return timewords.day(day, _now(context))


@register.simple_tag(takes_context=True)
def countdown(context: Context, at: datetime | None) -> SafeString:
    """What is left until a time, ticking; plain text, to stand inside a sentence or a chip."""
    if at is None:
        return SafeString("")
    now = _now(context)
    return _time(at, timewords.left(at, now) if now else None, "data-countdown")


def _time(at: datetime, words: str | None, rule: str = "") -> SafeString:
    """A time in words that ``times.js`` keeps true by a rule; in full where there are none."""
    start = _start(at, rule, timezone.get_current_timezone(), get_language())
    return SafeString(f"{start}{escape(words or timewords.exact(at))}</time>")


@lru_cache(maxsize=8192)
def _start(at: datetime, rule: str, _zone: tzinfo, _language: str | None) -> SafeString:
    """The same times are said again and again, and only their words change from look to look."""
    return format_html(
        '<time datetime="{}" title="{}"{}>',
        at.isoformat(),
        timewords.exact(at),
        f" {rule}" if rule else "",
    )


@register.simple_tag(takes_context=True)
def due_chip(
    context: Context,
    at: datetime | Due | None,
    kind: str = "",
    warn_at: datetime | None = None,
    word: str | None = None,
) -> SafeString:
    """A chip that counts down to a due time: word, time left, colour and icon by how near it is.

    Takes a ``Due``, or a time and the kind of clock (``first_response``, ``promise``, …), and
    another word where the kind's own stands beside it already.
    """
    if at is None:
        return SafeString("")
    due = (
        at
        if isinstance(at, Due)
        else Due(
            due_word(kind) if word is None else word,
            at,
            warn_at,
            "flag" if kind == "promise" else "clock",
        )
    )
    warns = due.warn_at or due.at - SOON
    now = _now(context)
    level = "ok"
    if now is not None:
        level = "bad" if due.at <= now else "warn" if warns <= now else "ok"
    return format_html(
        '<span class="chip chip-{}" data-due="{}" data-warn="{}" data-symbol="{}">{}{} {}</span>',
        level,
        due.at.isoformat(),
        warns.isoformat(),
        due.symbol,
        icon("flame" if level == "bad" else due.symbol),
        format_html("<span>{}</span>", due.word) if due.word else "",
        countdown(context, due.at),
    )


@register.simple_tag
def styled(field: BoundField, classes: str) -> SafeString:
    """A form's field with classes, and with what is wrong with it said to who cannot see it."""
    attrs: dict[str, str | bool] = {"class": classes}
    if field.errors:
        attrs["aria-invalid"] = "true"
    return field.as_widget(attrs=attrs)


@register.filter
def word(row: Model, name: str) -> str:
    """What a row's choice is called in a field: ``get_…_display`` in a fraction of its time."""
    value = getattr(row, name)
    return _words(row.__class__, name, get_language()).get(value, str(value))


@cache
def _words(model: type[Model], name: str, _language: str | None) -> Mapping[Any, str]:
    """Django's own way translates every choice of a field, each time that it is asked for one."""
    field = model._meta.get_field(name)
    assert isinstance(field, Field)
    return {value: str(label) for value, label in field.flatchoices}


@register.filter
def prose(text: str) -> SafeString:
    """What somebody wrote, in paragraphs and with its links: ``urlize|linebreaks``.

    That one looks at every word; here only at those of a line with something like a link in it.
    """
    if _LINK.search(text) is None:
        return SafeString(linebreaks(escape(text)))
    return SafeString(
        linebreaks(
            "\n".join(
                urlize(line, nofollow=True, autoescape=True) if _LINK.search(line) else escape(line)
                for line in text.split("\n")
            )
        )
    )


@register.filter
def told(at: datetime) -> str:
    """A time as letters tell it: "Tue 24 Nov, 14:00 (Berlin, UTC+1)"."""
    return timewords.told(at)


@register.filter
def until(at: datetime, now: datetime) -> str:
    """How long it is until a time: "3 h 20"."""
    return timewords.span(at - now)


@register.simple_tag
def time_words() -> str:
    """The words of the page's script, as JSON for an attribute."""
    return json.dumps(dict(timewords.words()), ensure_ascii=False)


@register.inclusion_tag("_ring.html")
def ring(percent: int) -> Mapping[str, Any]:
    """A ring filled to a share in percent, with the share as its text for who cannot see it."""
    return {"percent": max(0, min(100, percent))}


@register.inclusion_tag("_rail.html", takes_context=True)
def rail(context: Context) -> Mapping[str, Any]:
    """The links at the side of every page, with what waits behind them."""
    request: HttpRequest = context["request"]
    user = request.user
    if not isinstance(user, User):
        return {"user": user, "csrf_token": context.get("csrf_token"), "places": ()}
    frame = rail_of.frame(user)
    # For the bar below, which is drawn after it.
    context.dicts[0]["outbox_pause"] = frame.pause
    places = rail_of.places(user, request.path, frame.counts)
    return {"user": user, "csrf_token": context.get("csrf_token"), "places": places}


@register.inclusion_tag("_pause.html", takes_context=True)
def pause_bar(context: Context) -> Mapping[str, Any]:
    """That letters and webhooks are paused, and what waits; nothing, and no query, otherwise."""
    pause: OutboxPause | None = context.get("outbox_pause")
    return {
        "pause": pause,
        "waiting": pausing.waiting(pause) if pause is not None else None,
        "now": context.get("now"),
    }


@register.inclusion_tag("desk/_tabs.html", takes_context=True)
def settings_tabs(context: Context) -> Mapping[str, Any]:
    """The pages of the settings that are open to whoever reads one of them."""
    path = context["request"].path
    return _tabs(context, settingstabs.PAGES, _("Settings"), path)


@register.inclusion_tag("desk/_tabs.html", takes_context=True)
def training_tabs(context: Context, view: str = "") -> Mapping[str, Any]:
    """The pages of training that are open to whoever reads one of them.

    ``view`` names the tab that a page of a procedure belongs to, whose address says nothing of it.
    """
    path = reverse(view) if view else context["request"].path
    return _tabs(context, trainingtabs.PAGES, _("Training"), path)


def _tabs(
    context: Context, pages: Sequence[settingstabs.Page], name: str, path: str
) -> Mapping[str, Any]:
    request: HttpRequest = context["request"]
    user = request.user
    tabs = settingstabs.tabs(user, path, pages) if isinstance(user, User) else ()
    return {"tabs": tabs, "name": name}
