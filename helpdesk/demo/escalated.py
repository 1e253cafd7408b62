"""Tickets whose escalation is open: offered, accepted, declined, sent back, handed on."""

from __future__ import annotations

from datetime import timedelta

from escalation.models.escalation import Kind, ReturnReason
from helpdesk.demo.director import Story
from helpdesk.demo.scene import on_the, stamp
from helpdesk.demo.stage import Stage
from helpdesk.demo.timetable import openings
from tickets.models.ticket import Status


def sso_login_loop(stage: Stage) -> Story:
    """HD-1038: offered to Platform, reminded once."""
    at = openings(stage)[1038]
    yield at
    stage.opens(1038, "maya")
    yield at + timedelta(minutes=7)
    stage.assess(1038, "carla", impact=2, urgency=1)
    stage.assign(1038, "carla", "carla")
    yield at + timedelta(minutes=18)
    stage.reply(1038, "carla")
    yield at + timedelta(minutes=44)
    stage.writes(1038, "details")
    yield at + timedelta(minutes=71)
    stage.reply(1038, "carla", "found")
    yield stage.ago(minutes=21)
    stage.escalate(1038, "platform", "carla", nature="access")


def duplicate_charges(stage: Stage) -> Story:
    """HD-1037: accepted by Priya; the promise is due in about half an hour."""
    at = openings(stage)[1037]
    yield at
    stage.opens(1037, "ines")
    yield at + timedelta(minutes=5)
    stage.assess(1037, "ben", impact=2, urgency=1)
    stage.assign(1037, "ben", "ben")
    yield at + timedelta(minutes=16)
    stage.reply(1037, "ben")
    yield at + timedelta(minutes=68)
    due = on_the(5, stage.curtain + timedelta(minutes=28, seconds=30))
    stage.escalate(1037, "integrations", "ben", promised=due)
    yield at + timedelta(minutes=81)
    stage.accept(1037, "priya")
    yield at + timedelta(minutes=140)
    stage.note(1037, "ben")


def data_residency_proof(stage: Stage) -> Story:
    """HD-1036: offered, but the notice bounced: the customer was not told."""
    at = openings(stage)[1036]
    yield at
    stage.opens(1036, "signe")
    yield at + timedelta(minutes=12)
    stage.assess(1036, "anna", impact=2, urgency=2)
    stage.assign(1036, "anna", "anna")
    yield at + timedelta(minutes=29)
    stage.reply(1036, "anna")
    yield stage.ago(minutes=26)
    stage.escalate(1036, "integrations", "anna", nature="access")
    yield stage.ago(minutes=24)
    stage.bounces(1036, "escalated")


def too_many_requests(stage: Stage) -> Story:
    """HD-1035: declined since the key's ID is missing; the customer was asked for it."""
    at = openings(stage)[1035]
    yield at
    stage.opens(1035, "kenji", stamp=stamp(at - timedelta(hours=9, minutes=14)))
    yield at + timedelta(minutes=8)
    stage.assess(1035, "anna", impact=2, urgency=2)
    stage.assign(1035, "anna", "anna")
    yield at + timedelta(minutes=21)
    stage.reply(1035, "anna")
    yield at + timedelta(minutes=44)
    stage.escalate(1035, "integrations", "anna", override="override")
    yield at + timedelta(minutes=69)
    stage.decline(1035, "priya", ReturnReason.DETAILS_MISSING, "api_key_id")
    yield at + timedelta(minutes=83)
    stage.ask(1035, "anna", "api_key_id")


def wrong_vat(stage: Stage) -> Story:
    """HD-1034: accepted by Platform, and sent back with the answer; the customer has to agree."""
    at = openings(stage)[1034]
    yield at
    stage.opens(1034, "ines")
    yield at + timedelta(minutes=11)
    stage.assess(1034, "anna", impact=2, urgency=2)
    stage.assign(1034, "anna", "anna")
    yield at + timedelta(minutes=26)
    stage.reply(1034, "anna")
    yield at + timedelta(minutes=52)
    stage.escalate(1034, "platform", "anna")
    yield at + timedelta(minutes=74)
    stage.accept(1034, "jonas")
    yield at + timedelta(hours=3, minutes=31)
    stage.send_back(1034, "jonas", ReturnReason.KNOWN_ANSWER)
    yield at + timedelta(hours=3, minutes=52)
    stage.reply(1034, "anna", "word", status=Status.WAITING)


def refunds_fail(stage: Stage) -> Story:
    """HD-1032: accepted, and the promised word did not come; broken 40 minutes ago."""
    at = openings(stage)[1032]
    yield at
    stage.opens(1032, "maya")
    yield at + timedelta(minutes=6)
    stage.assess(1032, "dev", impact=2, urgency=1)
    stage.move(1032, "frontline-americas", "dev")
    stage.assign(1032, "dev", "dev")
    yield at + timedelta(minutes=17)
    stage.reply(1032, "dev")
    yield at + timedelta(minutes=39)
    stage.escalate(1032, "integrations", "dev", nature="access")
    yield at + timedelta(minutes=58)
    stage.accept(1032, "tomasz")
    yield at + timedelta(hours=2, minutes=40)
    stage.update(1032, "dev", headline="the cause is found")
    yield stage.ago(hours=5, minutes=12)
    stage.writes(1032, "chased")
    yield stage.ago(hours=4, minutes=49)
    stage.update(
        1032,
        "dev",
        "update2",
        headline="the correction is being checked",
        next_word_by=on_the(5, stage.ago(minutes=42, seconds=30)),
    )
    yield stage.ago(minutes=52)
    stage.note(1032, "tomasz")


def cto_wants_a_call(stage: Stage) -> Story:
    """HD-1031: with Tier 2 for the cause and with Helen for the call, side by side."""
    at = openings(stage)[1031]
    yield at
    stage.opens(1031, "ola")
    yield at + timedelta(minutes=9)
    stage.assess(1031, "anna", impact=2, urgency=1)
    stage.assign(1031, "anna", "anna")
    yield at + timedelta(minutes=24)
    stage.reply(1031, "anna")
    yield at + timedelta(minutes=41)
    stage.escalate(1031, "integrations", "anna")
    yield at + timedelta(minutes=53)
    stage.accept(1031, "priya")
    yield at + timedelta(minutes=66)
    stage.appeal(1031, "helen", "frontline-emea", "anna")
    yield at + timedelta(minutes=84)
    stage.accept(1031, "helen", kind=Kind.HIERARCHICAL)
    yield at + timedelta(minutes=97)
    stage.note(1031, "anna")
    yield at + timedelta(minutes=104)
    stage.reply(1031, "anna", "word", status=Status.WAITING)


def sandbox_certificate(stage: Stage) -> Story:
    """HD-1030: handed on twice, from Integrations to Platform and back."""
    at = openings(stage)[1030]
    yield at
    stage.opens(1030, "lia")
    yield at + timedelta(minutes=13)
    stage.assess(1030, "dev", impact=2, urgency=2)
    stage.assign(1030, "dev", "dev")
    yield at + timedelta(minutes=28)
    stage.reply(1030, "dev")
    yield at + timedelta(minutes=41)
    stage.escalate(1030, "integrations", "dev")
    yield at + timedelta(minutes=66)
    stage.hand_on(1030, "platform", "tomasz", "on")
    yield at + timedelta(hours=2, minutes=7)
    stage.hand_on(1030, "integrations", "jonas", "back_on")
    yield at + timedelta(hours=2, minutes=22)
    stage.accept(1030, "tomasz")
    yield at + timedelta(hours=3, minutes=10)
    stage.update(
        1030,
        "dev",
        headline="it is clear where to look",
        next_word_by=on_the(15, stage.working_hours_ago(3)),
    )
    yield stage.working_hours_ago(3.6)
    stage.update(
        1030,
        "dev",
        "update2",
        headline="the certificate is in the list",
        next_step="we call the sandbox with your certificate and write you the result",
        next_word_by=stage.in_working_hours(6),
    )


def pdf_language(stage: Stage) -> Story:
    """HD-1024: the customer was told a new time once, before the old one broke."""
    at = openings(stage)[1024]
    yield at
    stage.opens(1024, "kenji")
    yield at + timedelta(minutes=14)
    stage.assess(1024, "ben", impact=2, urgency=3)
    stage.assign(1024, "ben", "ben")
    yield at + timedelta(minutes=33)
    stage.reply(1024, "ben")
    yield at + timedelta(minutes=57)
    stage.escalate(1024, "platform", "ben")
    yield at + timedelta(minutes=95)
    stage.accept(1024, "jonas")
    yield at + timedelta(hours=3, minutes=44)
    stage.new_expected_time(1024, "ben", due=stage.in_working_hours(9))
