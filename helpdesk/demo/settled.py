"""Tickets that wait for others, or are over: on hold, resolved, reopened, closed."""

from __future__ import annotations

from datetime import timedelta

from helpdesk.demo.director import Story
from helpdesk.demo.stage import Stage
from helpdesk.demo.timetable import openings


def callback_delayed(stage: Stage) -> Story:
    """HD-1033: on hold until a vendor answers."""
    at = openings(stage)[1033]
    yield at
    stage.opens(1033, "juergen")
    yield at + timedelta(minutes=9)
    stage.assess(1033, "anna", impact=2, urgency=2)
    stage.assign(1033, "anna", "anna")
    yield at + timedelta(minutes=48)
    stage.reply(1033, "anna")
    yield at + timedelta(minutes=53)
    stage.note(1033, "anna")
    stage.put_on_hold(1033, "anna")
    stage.remember(1033, "anna", "follow_up", due=stage.in_working_hours(5))


def umlauts_broken(stage: Stage) -> Story:
    """HD-1023: resolved; the customer has not said yet whether it works."""
    at = openings(stage)[1023]
    yield at
    stage.opens(1023, "juergen")
    yield at + timedelta(minutes=12)
    stage.assess(1023, "anna", impact=2, urgency=2)
    stage.assign(1023, "anna", "anna")
    yield at + timedelta(minutes=25)
    stage.reply(1023, "anna")
    yield at + timedelta(minutes=37)
    stage.escalate(1023, "platform", "anna")
    yield at + timedelta(minutes=59)
    stage.accept(1023, "jonas")
    yield at + timedelta(hours=2, minutes=20)
    stage.update(
        1023, "anna", headline="Ursache gefunden", next_step="wir erstellen exp_768120 neu"
    )
    yield at + timedelta(hours=4, minutes=5)
    stage.settle_escalation(1023, "jonas")
    yield at + timedelta(hours=4, minutes=31)
    stage.resolve(1023, "anna", "resolved")


def login_code_missing(stage: Stage) -> Story:
    """HD-1022: resolved, and opened again by the customer's answer."""
    at = openings(stage)[1022]
    yield at
    stage.opens(1022, "lia")
    yield at + timedelta(minutes=16)
    stage.assess(1022, "carla", impact=2, urgency=2)
    stage.assign(1022, "carla", "carla")
    yield at + timedelta(minutes=31)
    stage.reply(1022, "carla")
    yield at + timedelta(minutes=98)
    stage.resolve(1022, "carla")
    yield stage.working_hours_ago(2.1)
    stage.writes(1022, "again")


def rotate_keys(stage: Stage) -> Story:
    """HD-1021: resolved; the customer's thanks opened nothing."""
    at = openings(stage)[1021]
    yield at
    stage.opens(1021, "kenji")
    yield at + timedelta(minutes=19)
    stage.assess(1021, "ben", impact=3, urgency=2)
    stage.assign(1021, "ben", "ben")
    yield at + timedelta(minutes=36)
    stage.reply(1021, "ben")
    yield at + timedelta(minutes=112)
    stage.resolve(1021, "ben")
    yield stage.working_hours_ago(29)
    stage.writes(1021, "thanks")


def wrong_currency(stage: Stage) -> Story:
    """HD-1020: escalated, resolved and closed; a lead found that it could have been avoided."""
    at = openings(stage)[1020]
    yield at
    stage.opens(1020, "lia")
    yield at + timedelta(minutes=15)
    stage.assess(1020, "dev", impact=3, urgency=2)
    stage.move(1020, "frontline-americas", "dev")
    stage.assign(1020, "dev", "dev")
    yield at + timedelta(minutes=31)
    stage.escalate(1020, "integrations", "dev")
    yield at + timedelta(minutes=64)
    stage.accept(1020, "tomasz")
    yield at + timedelta(minutes=92)
    stage.settle_escalation(1020, "tomasz", "settled")
    yield at + timedelta(minutes=107)
    stage.reply(1020, "dev")
    yield at + timedelta(hours=2, minutes=35)
    stage.resolve(1020, "dev")
    yield stage.working_hours_ago(21)
    stage.close(1020, "dev")
    yield stage.working_hours_ago(19.5)
    stage.review(1020, "marco")


def security_questionnaire(stage: Stage) -> Story:
    """HD-1019: on hold for others, and out of sight until they should be done."""
    at = openings(stage)[1019]
    yield at
    stage.opens(1019, "maya")
    yield at + timedelta(minutes=17)
    stage.assess(1019, "ben", impact=3, urgency=3)
    stage.assign(1019, "ben", "ben")
    yield at + timedelta(minutes=46)
    stage.reply(1019, "ben")
    yield at + timedelta(minutes=55)
    stage.note(1019, "ben")
    stage.put_on_hold(1019, "ben")
    stage.snooze(1019, "ben", "snoozed", until=stage.in_working_hours(19))
