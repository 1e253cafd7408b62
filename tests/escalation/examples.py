"""Of every fact and all that may be asked of it: tickets of which it is true, and others."""

from __future__ import annotations

from typing import Any

from escalation.ticketfacts import ClockFact
from escalation.vocabulary import CLOCKS
from tests.escalation.situations import (
    ALWAYS,
    HOUR,
    MICROSECOND,
    START,
)

# Which decides

LATER = START + HOUR
GONE = {"running_since": None, "consumed": HOUR}


def clock(kind: str, **changes: Any) -> dict[str, Any]:
    """Facts with one clock of four hours, running round the clock since the start."""
    options = {"time": ALWAYS, "budget": 4 * HOUR, "running_since": START, **changes}
    return {"clocks": {kind: ClockFact(**options)}}


#: What may be asked of every fact: the value, facts for which it holds, and for which it does not.
Cases = dict[tuple[str, str], tuple[Any, list[dict[str, Any]], list[dict[str, Any]]]]
CASES: Cases = {
    ("status", "is"): ("open", [{}], [{"status": "new"}]),
    ("status", "is_not"): ("new", [{}], [{"status": "new"}]),
    ("status", "in"): (["new", "open"], [{}, {"status": "new"}], [{"status": "on_hold"}]),
    ("status", "not_in"): (["new", "open"], [{"status": "on_hold"}], [{}, {"status": "new"}]),
    ("priority", "is"): ("P3", [{}], [{"priority": 2}]),
    ("priority", "is_not"): ("P3", [{"priority": 2}], [{}]),
    ("priority", "in"): (["P1", "P3"], [{}, {"priority": 1}], [{"priority": 2}]),
    ("priority", "not_in"): (["P1", "P3"], [{"priority": 2}], [{}, {"priority": 1}]),
    # As pressing as P2, or more: P1.
    ("priority", "at_least"): ("P2", [{"priority": 1}, {"priority": 2}], [{}]),
    ("priority", "at_most"): ("P2", [{"priority": 2}, {}], [{"priority": 1}]),
    ("complexity", "is"): ("moderate", [{}], [{"complexity": "simple"}]),
    ("complexity", "is_not"): ("moderate", [{"complexity": "simple"}], [{}]),
    ("complexity", "in"): (["simple"], [{"complexity": "simple"}], [{}]),
    ("complexity", "not_in"): (["simple"], [{}], [{"complexity": "simple"}]),
    ("channel", "is"): ("mail", [{"channel": "mail"}], [{"channel": "web"}, {}]),
    ("channel", "is_not"): ("mail", [{"channel": "web"}, {}], [{"channel": "mail"}]),
    ("channel", "in"): (["mail"], [{"channel": "mail"}], [{"channel": "web"}]),
    ("channel", "not_in"): (["mail"], [{"channel": "web"}], [{"channel": "mail"}]),
    ("assignee", "is_set"): (None, [{"assignee": True}], [{}]),
    ("assignee", "is_not_set"): (None, [{}], [{"assignee": True}]),
    ("asked_to_escalate", "is_set"): (
        None,
        [
            {"customer_asked_to_escalate_at": START},
            {"customer_asked_to_escalate_at": LATER, "fired": {"other": LATER}},
        ],
        [{}],
    ),
    ("asked_to_escalate", "is_not_set"): (None, [{}], [{"customer_asked_to_escalate_at": START}]),
    ("tags", "contains"): ("vip", [{"tags": frozenset({"vip", "eu"})}], [{}, {"tags": frozenset({"vips"})}]),
    ("tags", "is_set"): (None, [{"tags": frozenset({"vip"})}], [{}]),
    ("tags", "is_not_set"): (None, [{}], [{"tags": frozenset({"vip"})}]),
    # Of the other kind: what is open of the rule's own kind keeps it from being asked.
    ("escalated", "contains"): ("hierarchical", [{"escalated": frozenset({"hierarchical"})}], [{}]),
    ("escalated", "is_set"): (None, [{"escalated": frozenset({"hierarchical"})}], [{}]),
    ("escalated", "is_not_set"): (None, [{}], [{"escalated": frozenset({"hierarchical"})}]),
    ("sender_verified", "is"): (True, [{"sender_verified": True}], [{}]),
    ("unanswered_for", "at_least"): ("1h wall", [{"waiting_since": START - HOUR}], [{}, {"waiting_since": START - HOUR + MICROSECOND}]),
    ("unanswered_for", "less_than"): ("1h wall", [{"waiting_since": START - HOUR + MICROSECOND}], [{}, {"waiting_since": START - HOUR}]),
    ("in_status_for", "at_least"): ("1h", [{"status_since": START - HOUR}], [{}]),
    ("in_status_for", "less_than"): ("1h", [{}], [{"status_since": START - HOUR}]),
    ("age", "at_least"): ("1h", [{"created_at": START - HOUR}], [{}]),
    ("age", "less_than"): ("1h", [{}], [{"created_at": START - HOUR}]),
    ("silent_for", "at_least"): (
        "1h",
        [{"created_at": START - HOUR}, {"last_public_update_at": START - HOUR}],
        [{}, {"created_at": START - HOUR, "last_public_update_at": START}],
    ),
    ("silent_for", "less_than"): (
        "1h",
        [{}, {"created_at": START - HOUR, "last_public_update_at": START}],
        [{"created_at": START - HOUR}],
    ),
}  # fmt: skip
for _name, _fact in {"impact": "impact", "urgency": "urgency"}.items():
    CASES |= {
        (_name, "is"): ("medium", [{}], [{_fact: 1}]),
        (_name, "is_not"): ("medium", [{_fact: 1}], [{}]),
        (_name, "in"): (["high"], [{_fact: 1}], [{}]),
        (_name, "not_in"): (["high"], [{}], [{_fact: 1}]),
        (_name, "at_least"): ("medium", [{}, {_fact: 1}], [{_fact: 3}]),
        (_name, "at_most"): ("medium", [{}, {_fact: 3}], [{_fact: 1}]),
    }
for _name in ("category", "plan", "organization", "team", "language"):
    CASES |= {
        (_name, "is"): ("api", [{_name: "api"}], [{}, {_name: "API"}]),
        (_name, "is_not"): ("api", [{}, {_name: "web"}], [{_name: "api"}]),
        (_name, "in"): (["api", "web"], [{_name: "api"}], [{}, {_name: "ap"}]),
        (_name, "not_in"): (["api", "web"], [{}, {_name: "ap"}], [{_name: "api"}]),
        (_name, "is_set"): (None, [{_name: "api"}], [{}]),
        (_name, "is_not_set"): (None, [{}], [{_name: "api"}]),
    }
for _name in ("tier", "reopened_count", "completeness", "times_escalated"):
    CASES |= {
        (_name, "is"): (2, [{_name: 2}], [{_name: 1}]),
        (_name, "is_not"): (2, [{_name: 1}], [{_name: 2}]),
        (_name, "in"): ([2, 3], [{_name: 2}], [{_name: 1}]),
        (_name, "not_in"): ([2, 3], [{_name: 1}], [{_name: 2}]),
        (_name, "at_least"): (2, [{_name: 2}, {_name: 3}], [{_name: 1}]),
        (_name, "at_most"): (2, [{_name: 2}, {_name: 1}], [{_name: 3}]),
    }
# A tier there is not is neither at least nor at most anything; tier 0 would be there.
CASES[("tier", "is_set")] = (None, [{"tier": 1}, {"tier": 0}], [{}])
CASES[("tier", "is_not_set")] = (None, [{}], [{"tier": 1}])
CASES[("tier", "at_least")][2].append({})
CASES[("tier", "at_most")][2].append({})
for _name in ("subject", "text"):
    CASES |= {
        (_name, "contains"): ("Straße", [{_name: "in der STRASSE 1"}], [{}, {_name: "Weg"}]),
        (_name, "matches"): (r"\b502\b", [{_name: "a 502\nb"}], [{}, {_name: "5020"}]),
        (_name, "is_set"): (None, [{_name: "a"}], [{}]),
        (_name, "is_not_set"): (None, [{}], [{_name: "a"}]),
    }
for _name in CLOCKS:
    _half = {"running_since": START - 2 * HOUR}
    CASES |= {
        (f"{_name}_used", "at_least"): (
            "50%",
            [clock(_name, **_half), clock(_name, **GONE | {"consumed": 2 * HOUR})],
            [{}, clock(_name), clock(_name, **GONE)],
        ),
        (f"{_name}_used", "less_than"): (
            "50%",
            [clock(_name), clock(_name, **GONE)],
            [{}, clock(_name, **_half)],
        ),
        (f"{_name}_breached", "is"): (
            True,
            [
                clock(_name, running_since=START - 4 * HOUR),
                clock(_name, breached_at=START, running_since=None, consumed=5 * HOUR),
            ],
            [{}, clock(_name), clock(_name, **_half)],
        ),
    }
