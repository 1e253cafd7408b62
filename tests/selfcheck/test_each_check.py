"""Each check names what breaks its promise, and nothing else; the rest of the desk stays clean."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest import Subtests  # noqa: PT013

from desk.selfcheck import running
from desk.selfcheck.catalogue import CHECKS
from desk.selfcheck.database import TRIGGERS
from tests.access.rooms import undone
from tests.house import House
from tests.selfcheck.reports import found
from tests.selfcheck.story import NOW, Story, tell
from tickets.models import Attachment

EARLIER = NOW - timedelta(hours=2)

#: What a constraint would refuse is done without it.
WITHOUT = {
    "letter-once": "ALTER TABLE notifications_outgoingemail DROP CONSTRAINT mail_once",
    "notice-once": "ALTER TABLE notifications_notification DROP CONSTRAINT notification_once",
    "escalation-once": "DROP INDEX escalation_open_once_per_kind",
}
#: How each promise is broken, and what is named then.
BREAKS: dict[str, str] = {
    "mail-read": "UPDATE tickets_inboundemail SET outcome = 'stored' WHERE ticket_id = {accepted}"
    " RETURNING id",
    "mail-filed": "UPDATE tickets_inboundemail SET message_id = NULL WHERE ticket_id = {accepted}"
    " RETURNING id",
    "mail-reason": "UPDATE tickets_inboundemail SET reason = '' WHERE outcome = 'suspended'"
    " RETURNING id",
    "mail-bytes": "UPDATE tickets_inboundemail SET raw = raw || '\\x00' WHERE ticket_id = {accepted}"
    " RETURNING id",
    "letter-due": "UPDATE notifications_outgoingemail SET state = 'queued', sent_at = NULL,"
    " next_attempt_at = '{earlier}' WHERE kind = 'closed' RETURNING id",
    "letter-leased": "UPDATE notifications_outgoingemail SET state = 'sending', sent_at = NULL,"
    " lease_until = '{earlier}', lease_token = gen_random_uuid() WHERE kind = 'closed' RETURNING id",
    "letter-once": "UPDATE notifications_outgoingemail SET dedupe_key = 'twice'"
    " WHERE kind IN ('resolved', 'closed') RETURNING dedupe_key",
    "letter-repeated": "UPDATE notifications_outgoingemail SET leases_lost = 3"
    " WHERE kind = 'closed' RETURNING id",
    "letter-failed": "UPDATE notifications_outgoingemail SET state = 'failed', sent_at = NULL"
    " WHERE kind = 'closed' RETURNING id",
    "letter-merged": "WITH taker AS (SELECT max(merged_into_id) AS id FROM"
    " notifications_outgoingemail), gone AS (UPDATE notifications_outgoingemail"
    " SET state = 'withdrawn', sent_at = NULL WHERE id = (SELECT id FROM taker))"
    " SELECT id FROM notifications_outgoingemail WHERE merged_into_id = (SELECT id FROM taker)",
    "letter-recalled": "UPDATE notifications_outgoingemail SET begun_at = '{now}'"
    " WHERE kind = 'staff_offer' AND about = 'ticket:{closed}' RETURNING id",
    "letter-closed": "UPDATE notifications_outgoingemail SET begun_at = '{now}',"
    " kind = 'staff_clock_warned' WHERE kind = 'received' AND about = 'ticket:{closed}' RETURNING id",
    "receipt-taken": "UPDATE notifications_deliveryevent SET taken_at = NULL RETURNING id",
    "review-due": "UPDATE tickets_ticket SET review_at = '{earlier}' WHERE id = {waiting}"
    " RETURNING 'HD-' || id",
    "review-failed": "UPDATE tickets_ticket SET review_attempts = 1, review_error = 'KeyError'"
    " WHERE id = {waiting} RETURNING 'HD-' || id",
    "next-look": "UPDATE tickets_ticket SET review_at = NULL WHERE id = {offered}"
    " RETURNING 'HD-' || id",
    "relook-done": "INSERT INTO escalation_relook (cause, policy_version_id, to_open_tickets, cursor,"
    " last_id, created_at, looked, changed, applied) SELECT 'policy', max(id), false, 0, 9,"
    " '{earlier}', 0, 0, 0 FROM escalation_policyversion RETURNING id",
    "follow-up-fired": "UPDATE tickets_followup SET due_at = '{earlier}' WHERE kind = 'progress'"
    " AND ticket_id = {accepted} RETURNING id",
    "snooze-woken": "UPDATE tickets_snooze SET until = '{earlier}' RETURNING id",
    "notice-once": "INSERT INTO notifications_notification (dedupe_key, readers, kind, about,"
    " variables, at) SELECT dedupe_key, readers, kind, about, variables, at"
    " FROM notifications_notification ORDER BY id LIMIT 1 RETURNING dedupe_key",
    "escalation-once": "INSERT INTO escalation_escalation (ticket_id, kind, number, trigger, rule_key,"
    " nature, urgency, reason, tried, ask, state, owner_id, policy_version_id, incomplete, missing,"
    " override_reason, opened_at, outcome, cause, hops) SELECT ticket_id, kind, 9, trigger, rule_key,"
    " nature, urgency, reason, tried, ask, state, owner_id, policy_version_id, incomplete, missing,"
    " override_reason, opened_at, outcome, cause, hops FROM escalation_escalation"
    " WHERE ticket_id = {offered} RETURNING 'HD-' || ticket_id",
    "escalation-holds": "UPDATE tickets_ticket SET held = NOT held WHERE id IN ({waiting}, {offered})"
    " RETURNING 'HD-' || id",
    "escalation-stands": "UPDATE escalation_escalation SET state = 'accepted', owner_id = {anna}"
    " WHERE ticket_id = {offered} RETURNING id",
    "escalation-told": "UPDATE escalation_escalation SET state = 'withdrawn'"
    " WHERE ticket_id = {closed} RETURNING id",
    "escalation-watched": "WITH gone AS (DELETE FROM tickets_followup WHERE kind = 'progress'"
    " AND ticket_id = {offered}) SELECT id FROM escalation_escalation WHERE ticket_id = {offered}",
    "handoff-complete": "UPDATE escalation_handoff SET package = '{{}}' WHERE escalation_id ="
    " (SELECT id FROM escalation_escalation WHERE ticket_id = {offered}) RETURNING id",
    "handoff-clock": "UPDATE escalation_clock SET due_at = due_at + interval '1 hour'"
    " WHERE ticket_id = {offered} AND kind = 'acceptance' RETURNING handoff_id",
    "handoff-reaches": "DELETE FROM notifications_notification WHERE kind = 'staff_offer'"
    " AND about = 'ticket:{offered}' RETURNING (SELECT max(id) FROM escalation_handoff)",
    "step-taken": "DELETE FROM escalation_step WHERE handoff_id ="
    " (SELECT max(id) FROM escalation_handoff) RETURNING handoff_id",
    "step-once": "UPDATE escalation_step SET number = 7 WHERE handoff_id ="
    " (SELECT max(id) FROM escalation_handoff) RETURNING handoff_id",
    "promise-broken": "UPDATE escalation_promise SET due_at = '{earlier}'"
    " WHERE ticket_id = {offered} RETURNING id",
    "promise-watched": "WITH late AS (UPDATE tickets_ticket SET review_at = '{now}'::timestamptz"
    " + interval '9 days' WHERE id = {offered}) SELECT id FROM escalation_promise"
    " WHERE ticket_id = {offered}",
    "promise-letter": "WITH lost AS (UPDATE notifications_outgoingemail SET state = 'withdrawn',"
    " sent_at = NULL WHERE kind = 'escalated' AND about = 'ticket:{offered}')"
    " SELECT id FROM escalation_promise WHERE ticket_id = {offered}",
    "promise-told": "WITH lost AS (DELETE FROM tickets_event WHERE kind = 'promised'"
    " AND ticket_id = {offered}) SELECT id FROM escalation_promise WHERE ticket_id = {offered}",
    "promise-ended": "UPDATE escalation_promise SET ended_at = due_at + interval '1 second'"
    " WHERE state = 'kept' RETURNING id",
    "promise-untold": "WITH gone AS (DELETE FROM tickets_followup WHERE ticket_id = {untold}"
    " AND kind IN ('phone', 'not_told')) SELECT id FROM escalation_promise WHERE ticket_id = {untold}",
    "clock-runs": "UPDATE escalation_clock SET consumed = consumed + interval '1 microsecond'"
    " WHERE ticket_id = {closed} AND kind = 'resolution' RETURNING id",
    "clock-worked": "UPDATE escalation_clockrun SET worked = worked + interval '1 microsecond'"
    " WHERE clock_id = (SELECT id FROM escalation_clock WHERE ticket_id = {closed}"
    " AND kind = 'resolution') RETURNING clock_id",
    "clock-due": "UPDATE escalation_clock SET due_at = due_at + interval '1 microsecond'"
    " WHERE ticket_id = {offered} AND kind = 'resolution' RETURNING id",
    "clock-breached": "UPDATE escalation_clock SET due_at = '{earlier}', breached_at = NULL"
    " WHERE ticket_id = {offered} AND kind = 'resolution' RETURNING id",
    "clock-stopped": "UPDATE escalation_clock SET state = 'paused' WHERE ticket_id = {closed}"
    " AND kind = 'resolution' RETURNING id",
    "clock-sorts": "UPDATE tickets_ticket SET sla_due_at = '{now}' WHERE id IN ({closed}, {offered})"
    " RETURNING 'HD-' || id",
    "decision-made": "WITH gone AS (DELETE FROM escalation_decision) SELECT id"
    " FROM escalation_escalation WHERE rule_key <> ''",
    "decision-explained": "UPDATE escalation_decision"
    " SET reasons = jsonb_set(reasons, '{{0,holds}}', 'false') RETURNING id",
    "attempt-counted": 'UPDATE training_answer SET "right" = false WHERE id ='
    " (SELECT max(id) FROM training_answer) RETURNING attempt_id",
    "completion-passed": "UPDATE training_completion SET user_id = (SELECT id FROM staff_user"
    " WHERE id <> {anna} LIMIT 1) RETURNING id",
    "enrollment-ended": "UPDATE training_enrollment SET ended_at = NULL, \"end\" = ''"
    " WHERE user_id = {anna} RETURNING id",
    "escalation-followed": "UPDATE escalation_escalation SET opened_at = opened_at - interval"
    " '9 days' WHERE ticket_id = {offered} RETURNING id",
    "ticket-status": "UPDATE tickets_ticket SET status = 'on_hold' WHERE id = {waiting}"
    " RETURNING 'HD-' || id",
    "search-complete": "DELETE FROM tickets_searchentry WHERE ticket_id = {waiting}"
    " RETURNING 'HD-' || ticket_id",
    "search-true": "UPDATE tickets_message SET text = 'Nobody finds this.' WHERE ticket_id = {waiting}"
    " RETURNING 'HD-' || ticket_id",
    "file-there": "UPDATE tickets_attachment SET size = size + 1 RETURNING id",
    "file-unchanged": "UPDATE tickets_attachment SET sha256 = sha256(sha256) RETURNING id",
    "lesson-there": "UPDATE training_lessonvideo SET size = size + 1 RETURNING id",
    "file-named": "UPDATE tickets_attachment SET file = 'attachments/elsewhere' WHERE id ="
    " (SELECT max(id) FROM tickets_attachment) RETURNING '{file}'",
    "webhook-told": "UPDATE notifications_webhookdelivery SET next_at = '{earlier}' WHERE id ="
    " (SELECT max(id) FROM notifications_webhookdelivery) RETURNING webhook_id",
    "webhook-leased": "UPDATE notifications_webhookdelivery SET state = 'sending', next_at = NULL,"
    " lease_until = '{earlier}', lease_token = gen_random_uuid() WHERE id ="
    " (SELECT max(id) FROM notifications_webhookdelivery) RETURNING id",
    "key-hashed": "UPDATE staff_apitoken SET digest = 'hd_as_it_is' RETURNING 'API token ' || id",
    "database-constraints": "ALTER TABLE escalation_step DROP CONSTRAINT step_fires_once;"
    " SELECT 'step_fires_once on escalation_step'",
    "database-validated": "ALTER TABLE escalation_step DROP CONSTRAINT step_fires_once;"
    " ALTER TABLE escalation_step ADD CONSTRAINT known CHECK (number > 0) NOT VALID;"
    " SELECT 'known on escalation_step'",
    "database-references": "DELETE FROM escalation_policy RETURNING (SELECT conname FROM"
    " pg_constraint WHERE confrelid = 'escalation_policy'::regclass) || ' on escalation_policyversion'",
    "database-triggers": "ALTER TABLE tickets_message DISABLE TRIGGER search_made;"
    " SELECT 'search_made on tickets_message'",
    "database-numbers": "SELECT setval(pg_get_serial_sequence('tickets_event', 'id'),"
    " (SELECT min(id) FROM tickets_event));"
    " SELECT 'tickets_event'",
    # One between others: the newest is there.
    "database-migrations": "DELETE FROM django_migrations WHERE app = 'desk' AND name LIKE '0001%'"
    " RETURNING 'desk.' || name",
    "configuration-edition": "DELETE FROM staff_edition RETURNING 'staff_edition'",
}


@pytest.fixture
def story(house: House, settings: Any, tmp_path: Path) -> Story:
    settings.MEDIA_ROOT = tmp_path
    return tell(house)


def test_every_check_sees_its_promise_broken(
    story: Story, house: House, tmp_path: Path, subtests: Subtests
) -> None:
    assert set(BREAKS) == {check.name for check in CHECKS}
    assert found(running.run(now=NOW, deep=True)) == {}
    file = str(Attachment.objects.latest("pk").file)
    os.utime(tmp_path / file, (NOW.timestamp() - 7200, NOW.timestamp() - 7200))
    names = {
        **{name: getattr(story, name).pk for name in story.__annotations__},
        "anna": house.anna.pk,
        "now": NOW.isoformat(),
        "earlier": EARLIER.isoformat(),
        "file": file,
    }
    for name, statement in BREAKS.items():
        with subtests.test(name), undone():
            broken = _break(WITHOUT.get(name, "SELECT 1"), statement.format(**names))
            report = running.run(now=NOW, deep=True, only=[name])
            assert broken, "there was something to break"
            assert found(report) == {name: broken}
            assert (report.found, report.failed) == (1, 0)


def _break(without: str, statement: str) -> set[str]:
    """Do what triggers and foreign keys would refuse; gives what is named then."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(without)
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement)
        return {str(key) for (key,) in cursor.fetchall()}


def test_the_triggers_that_are_looked_for_are_those_there_are(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal"
        )
        assert set(cursor.fetchall()) == TRIGGERS
