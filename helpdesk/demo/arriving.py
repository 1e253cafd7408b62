"""Tickets that have just come in, or wait for somebody to do the next thing."""

from __future__ import annotations

import json
from datetime import timedelta

from helpdesk.demo.director import Story
from helpdesk.demo.scene import clock_in, stamp
from helpdesk.demo.stage import Stage
from helpdesk.demo.timetable import openings
from tickets.inbound.parsed import ParsedAttachment


def invoices_return_502(stage: Stage) -> Story:
    """HD-1042: P1 and unanswered; rule 1 takes it while one watches."""
    at = openings(stage)[1042]
    began = at - timedelta(minutes=22)
    yield at
    stage.opens(
        1042,
        "dana",
        files=(_trace(stamp(began)),),
        began=clock_in("Europe/Oslo", began),
        stamp=stamp(at - timedelta(minutes=4)),
    )
    yield at + timedelta(minutes=3)
    stage.assess(1042, "anna", impact=1, urgency=1)
    stage.assign(1042, "ben", "anna")
    yield at + timedelta(minutes=4)
    stage.note(1042, "anna")


def cannot_invite_a_colleague(stage: Stage) -> Story:
    """HD-1041: new, nobody has looked at it."""
    yield openings(stage)[1041]
    stage.opens(1041, "lia")


def webhook_signature_fails(stage: Stage) -> Story:
    """HD-1040: being gathered; the customer was asked for the key's ID."""
    at = openings(stage)[1040]
    yield at
    stage.opens(1040, "ines", epoch=str(int((at - timedelta(minutes=11)).timestamp())))
    yield at + timedelta(minutes=9)
    stage.assess(1040, "anna", impact=2, urgency=2)
    stage.assign(1040, "anna", "anna")
    yield at + timedelta(minutes=22)
    stage.ask(1040, "anna", "signing_key_id")
    yield at + timedelta(minutes=23)
    stage.note(1040, "anna")


def export_stuck(stage: Stage) -> Story:
    """HD-1039: everything is known; ready to escalate."""
    at = openings(stage)[1039]
    yield at
    stage.opens(1039, "juergen")
    yield at + timedelta(minutes=6)
    stage.assess(1039, "anna", impact=2, urgency=1)
    stage.assign(1039, "anna", "anna")
    yield at + timedelta(minutes=19)
    stage.reply(1039, "anna")
    yield at + timedelta(minutes=47)
    stage.writes(
        1039,
        "details",
        stamp=stamp(at - timedelta(hours=3, minutes=12)),
        stamp2=stamp(at - timedelta(hours=3, minutes=2)),
    )
    yield at + timedelta(minutes=58)
    stage.reply(1039, "anna", "found")
    yield at + timedelta(minutes=81)
    stage.note(1039, "anna")


def _trace(began: str) -> ParsedAttachment:
    """The trace Dana attached, a HAR file (version 1.2) with one entry."""
    entry = {
        "startedDateTime": began,
        "time": 30012,
        "request": {
            "method": "POST",
            "url": "https://api.brightquay.example/v2/invoices",
            "httpVersion": "HTTP/1.1",
            "headers": [{"name": "x-tenant", "value": "eu-17"}],
        },
        "response": {
            "status": 502,
            "statusText": "Bad Gateway",
            "headers": [{"name": "via", "value": "1.1 edge-fra-2"}],
            "content": {
                "mimeType": "application/json",
                "text": '{"error":"upstream_unavailable","invoice":"inv_88120"}',
            },
        },
    }
    har = {"log": {"version": "1.2", "creator": {"name": "norvik-erp"}, "entries": [entry]}}
    return ParsedAttachment(
        name="trace.har",
        content_type="application/json",
        content_id="",
        data=json.dumps(har, indent=2).encode(),
    )
