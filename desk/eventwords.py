"""What happened to a ticket, as one line in the reader's language.

Events hold ids and values; the names come from a book of what the page has loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from escalation.models import TrainingOverride
from escalation.models.clock import ClockKind
from escalation.models.escalation import ReturnReason
from escalation.paths import ACTIONS
from staff.models import Team, User
from tickets.models import Event
from tickets.models.ticket import ENDED, Priority, Status


@dataclass(frozen=True, slots=True)
class Line:
    """An event as the conversation shows it; ``who`` is empty for the system."""

    at: datetime
    icon: str
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Book:
    """Names by id, and of details and rules by key."""

    users: Mapping[int, str] = field(default_factory=dict)
    teams: Mapping[int, str] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, str] = field(default_factory=dict)
    overrides: Mapping[int, str] = field(default_factory=dict)

    def user(self, pk: object) -> str:
        return self.users.get(pk, "") if isinstance(pk, int) else ""

    def team(self, pk: object) -> str:
        return self.teams.get(pk, "") if isinstance(pk, int) else ""

    def detail(self, key: object) -> str:
        """Its label; the key itself where the category does not ask for it any more."""
        return self.details.get(str(key), str(key))

    def rule(self, key: object) -> str:
        """Its name; the key itself where the policy in force has no such rule."""
        return self.rules.get(str(key), str(key))


#: Already to be seen as a message, or of no interest to a reader.
SILENT = frozenset(
    {"ticket_opened", "message_received", "replied", "noted", "ticked", "unticked", "promised"}
)


NOTHING = Book()


def book_of(events: Iterable[Event], *, known: Book = NOTHING) -> Book:
    """Look up the people and teams that events name and nobody knows yet, and why somebody went on
    without a completion, in three queries at most."""
    users: set[int] = set()
    teams: set[int] = set()
    overrides: set[int] = set()
    for event in events:
        data = event.data
        users |= {
            data[key] for key in ("assignee", "owner", "user", "to", "who") if _is_id(data, key)
        }
        teams |= {data["team"]} if _is_id(data, "team") else set()
        overrides |= {data["override"]} if _is_id(data, "override") else set()
    users -= known.users.keys()
    teams -= known.teams.keys()
    return replace(
        known,
        users={**known.users, **_names(User, users)},
        teams={**known.teams, **_names(Team, teams)},
        overrides={**known.overrides, **_reasons(overrides - known.overrides.keys())},
    )


def _reasons(ids: set[int]) -> Mapping[int, str]:
    if not ids:
        return {}
    return dict(TrainingOverride.objects.filter(pk__in=ids).values_list("pk", "reason"))


def _names(model: type[User | Team], ids: set[int]) -> Mapping[int, str]:
    if not ids:
        return {}
    return dict(model._default_manager.filter(pk__in=ids).values_list("pk", "name"))


def name_of(book: Book, pk: int) -> str:
    """Somebody's name, whether or not they still work here."""
    return book.user(pk) or str(User.objects.get(pk=pk))


def lines(events: Iterable[Event], book: Book) -> list[Line]:
    """The events worth a line, in their order."""
    found = []
    for event in events:
        if event.kind in SILENT or _is_said_otherwise(event):
            continue
        icon, words = _WORDS.get(event.kind, ("point", _plain))
        found.append(
            Line(
                at=event.at,
                icon=icon,
                who=_author(event),
                text=words(event.data, book) if words is not _plain else event.kind,
            )
        )
    return found


def _is_said_otherwise(event: Event) -> bool:
    """An ending and a reopening are events of their own beside the change of status."""
    return event.kind == "status_changed" and (
        event.data.get("to") in ENDED or event.data.get("from") in ENDED
    )


def _is_id(data: Mapping[str, Any], key: str) -> bool:
    return isinstance(data.get(key), int) and not isinstance(data.get(key), bool)


def _author(event: Event) -> str:
    if event.user is not None:
        return event.user.name
    return str(event.contact) if event.contact is not None else ""


def _plain(_data: Mapping[str, Any], _book: Book) -> str:
    return ""


def _label(choices: Any, value: object) -> str:
    try:
        return str(choices(value).label)
    except ValueError:
        return str(value)


def _status(data: Mapping[str, Any], _book: Book) -> str:
    return _("status: %(status)s") % {"status": _label(Status, data.get("to"))}


def _assigned(data: Mapping[str, Any], book: Book) -> str:
    name = book.user(data.get("assignee"))
    return _("assigned to %(name)s") % {"name": name} if name else _("assigned to nobody")


def _moved(data: Mapping[str, Any], book: Book) -> str:
    return _("moved to %(team)s") % {"team": book.team(data.get("team"))}


def _assessed(data: Mapping[str, Any], _book: Book) -> str:
    return _("assessed: %(priority)s") % {"priority": _label(Priority, data.get("priority"))}


def _escalated(data: Mapping[str, Any], book: Book) -> str:
    to = book.user(data.get("to")) or book.team(data.get("team"))
    if data.get("rule"):
        rule = book.rule(data["rule"])
        return _("escalated to %(to)s by the rule “%(rule)s”") % {"to": to, "rule": rule}
    return _("escalated to %(to)s") % {"to": to}


def _offered(data: Mapping[str, Any], book: Book) -> str:
    to = book.user(data.get("to")) or book.team(data.get("team"))
    return _("offered to %(to)s") % {"to": to}


def _accepted(data: Mapping[str, Any], book: Book) -> str:
    """Who accepts is its owner, but where a lead did so for somebody."""
    if data.get("by_lead"):
        return _("accepted the escalation for %(name)s") % {"name": book.user(data.get("owner"))}
    return _("accepted the escalation")


def _reassigned(data: Mapping[str, Any], book: Book) -> str:
    return _("gave the escalation to %(name)s") % {"name": book.user(data.get("owner"))}


def _reviewed(data: Mapping[str, Any], _book: Book) -> str:
    if data.get("avoidable"):
        return _("reviewed the escalation: it could have been avoided")
    return _("reviewed the escalation: it was needed")


def _overridden(data: Mapping[str, Any], book: Book) -> str:
    return _("went on without version %(version)s of the procedure (%(name)s): %(reason)s") % {
        "version": data.get("version"),
        "name": book.user(data.get("who")),
        "reason": book.overrides.get(data.get("override", 0), ""),
    }


def _step(data: Mapping[str, Any], book: Book) -> str:
    action = str(ACTIONS.get(str(data.get("action")), data.get("action")))
    name = book.user(data.get("user")) or book.team(data.get("team"))
    text = _("nobody has accepted yet: %(action)s") % {"action": action}
    return f"{text} ({name})" if name else text


def _returned(text: Callable[[], str]) -> Callable[[Mapping[str, Any], Book], str]:
    def words(data: Mapping[str, Any], _book: Book) -> str:
        return f"{text()}: {_label(ReturnReason, data.get('reason'))}"

    return words


def _clock(data: Mapping[str, Any], _book: Book) -> str:
    return _("target breached: %(clock)s") % {"clock": _label(ClockKind, data.get("clock"))}


def _keys(text: Callable[[], str]) -> Callable[[Mapping[str, Any], Book], str]:
    def words(data: Mapping[str, Any], book: Book) -> str:
        keys = data.get("keys") or [data.get("key", "")]
        return f"{text()}: {', '.join(book.detail(key) for key in keys)}"

    return words


def _letter(text: Callable[[], str]) -> Callable[[Mapping[str, Any], Book], str]:
    def words(data: Mapping[str, Any], _book: Book) -> str:
        return f"{text()} ({data['status']})" if data.get("status") else text()

    return words


def _said(text: Callable[[], str]) -> Callable[[Mapping[str, Any], Book], str]:
    return lambda _data, _book: text()


_WORDS: Mapping[str, tuple[str, Callable[[Mapping[str, Any], Book], str]]] = {
    "status_changed": ("progress", _status),
    "assigned": ("user-check", _assigned),
    "moved": ("users", _moved),
    "assessed": ("gauge", _assessed),
    "labelled": ("tag", _said(lambda: _("changed tags or references"))),
    "details_found": ("search", _keys(lambda: _("found in the conversation"))),
    "detail_set": ("pencil", _keys(lambda: _("detail added"))),
    "details_asked": ("help", _keys(lambda: _("asked the customer for"))),
    "details_given": ("forms", _keys(lambda: _("filled in"))),
    "address_verified": ("mail-check", _said(lambda: _("confirmed their address"))),
    "escalation_asked": ("speakerphone", _said(lambda: _("asked to escalate"))),
    "solution_confirmed": ("thumb-up", _said(lambda: _("confirmed that it is solved"))),
    "muted": ("bell-off", _said(lambda: _("wants only essential letters"))),
    "unmuted": ("bell", _said(lambda: _("wants every letter again"))),
    "escalated": ("arrow-bar-to-up", _escalated),
    "offered": ("arrow-bar-to-up", _offered),
    "accepted": ("circle-check", _accepted),
    "declined": ("circle-x", _returned(lambda: _("declined the escalation"))),
    "sent_back": ("arrow-back-up", _returned(lambda: _("sent the escalation back"))),
    "step_fired": ("bell-ringing", _step),
    "escalation_resolved": ("checks", _said(lambda: _("resolved the escalation"))),
    "withdrawn": ("arrow-bar-to-down", _said(lambda: _("withdrew the escalation"))),
    "de_escalated": ("arrow-down-circle", _said(lambda: _("de-escalated"))),
    "reassigned": ("user-share", _reassigned),
    "training_overridden": ("school-off", _overridden),
    "escalation_reviewed": ("eye-check", _reviewed),
    "clock_breached": ("flame", _clock),
    "promise_kept": ("flag-check", _said(lambda: _("promise kept"))),
    "promise_broken": ("flag-x", _said(lambda: _("promise broken"))),
    "promise_replaced": ("flag", _said(lambda: _("a new time was promised"))),
    "promise_suspended": ("flag-pause", _said(lambda: _("the promise waits for the customer"))),
    "promise_resumed": (
        "flag",
        _said(lambda: _("the customer answered; the promise counts again")),
    ),
    "promise_warned": ("flag-exclamation", _said(lambda: _("warned: the promise falls due soon"))),
    "promise_restored": ("flag", _said(lambda: _("the time promised before stands again"))),
    "promise_withdrawn": ("flag-off", _said(lambda: _("promise withdrawn"))),
    "customer_not_told": ("mail-off", _said(lambda: _("the customer was not told"))),
    "customer_told": ("mail-check", _said(lambda: _("the customer can be taken to know"))),
    "delivery_failed": ("mail-off", _letter(lambda: _("a letter came back"))),
    "delivery_delayed": ("mail", _letter(lambda: _("a letter is delayed"))),
    "delivery_complained": ("mail-x", _letter(lambda: _("a letter was reported as unwanted"))),
    "delivery_succeeded": ("mail-check", _letter(lambda: _("a letter arrived again"))),
    "policy_applied": ("versions", _said(lambda: _("applied the new policy to its clocks"))),
    "follow_up_added": ("bell-plus", _said(lambda: _("added a follow-up"))),
    "follow_up_fired": ("bell-ringing", _said(lambda: _("follow-up: reminded"))),
    "follow_up_done": ("bell-check", _said(lambda: _("did a follow-up"))),
    "call_taken": ("phone", _said(lambda: _("took the call"))),
    "snoozed": ("zzz", _said(lambda: _("snoozed the ticket"))),
    "woken": ("bell", _said(lambda: _("woke the ticket"))),
    "resolved": ("circle-check", _said(lambda: _("resolved the ticket"))),
    "closed": ("archive", _said(lambda: _("closed the ticket"))),
    "reopened": ("refresh-alert", _said(lambda: _("reopened the ticket"))),
    "rule_loop_stopped": ("infinity", _said(lambda: _("rules led to one another; loop stopped"))),
    "message_accepted": (
        "user-check",
        _said(lambda: _("accepted a message of an unverified sender")),
    ),
}
