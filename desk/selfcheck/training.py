"""Training: who is said to know a procedure has passed it, and escalations keep what they followed."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from desk.selfcheck.checks import Check, Noun, Severity, query

CHECKS = (
    Check(
        name="attempt-counted",
        promise=_("Every attempt that is finished was judged by its answers."),
        counts=_(
            "Finished attempts with a question unanswered, or with another result than their"
            " answers give."
        ),
        severity=Severity.TODAY,
        noun=Noun.ATTEMPT,
        find=query(
            "SELECT a.id, NULL FROM training_attempt a, LATERAL (SELECT count(*) AS answered,"
            " count(*) FILTER (WHERE n.right) AS right FROM training_answer n"
            " WHERE n.attempt_id = a.id) AS given WHERE a.finished_at IS NOT NULL"
            " AND a.id > (SELECT max(id) FROM training_attempt) - %(newest)s / 10"
            " AND (given.answered <> jsonb_array_length(a.drawn) OR given.right <> a.right"
            " OR a.passed <> (a.right * 100 >= a.pass_mark * given.answered)) ORDER BY a.id"
        ),
    ),
    Check(
        name="completion-passed",
        promise=_("Whoever has completed a version has passed it."),
        counts=_("Completions without a passed attempt of the same person at the same version."),
        severity=Severity.TODAY,
        noun=Noun.COMPLETION,
        find=query(
            "SELECT c.id, NULL FROM training_completion c JOIN training_attempt a"
            " ON a.id = c.attempt_id WHERE a.passed IS NOT TRUE OR a.user_id <> c.user_id"
            " OR a.version_id <> c.version_id OR a.finished_at <> c.at ORDER BY c.id"
        ),
    ),
    Check(
        name="enrollment-ended",
        promise=_(
            "Nobody is asked for what they have passed since, or for a version that is past."
        ),
        counts=_(
            "Open enrolments of whoever completed that version afterwards, or of a version before"
            " the newest."
        ),
        severity=Severity.NOTICE,
        noun=Noun.ENROLLMENT,
        find=query(
            "SELECT e.id, NULL FROM training_enrollment e JOIN training_procedureversion v"
            " ON v.id = e.version_id WHERE e.ended_at IS NULL AND (EXISTS (SELECT 1"
            " FROM training_completion c WHERE c.user_id = e.user_id AND c.version_id = e.version_id"
            " AND c.at >= e.enrolled_at) OR EXISTS (SELECT 1 FROM training_procedureversion newer"
            " WHERE newer.procedure_id = v.procedure_id AND newer.number > v.number"
            " AND newer.state = 'published' AND newer.published_at < %(late)s)) ORDER BY e.id"
        ),
    ),
    Check(
        name="escalation-followed",
        promise=_("An escalation keeps the version of the procedure that was in force."),
        counts=_(
            "Escalations of a version that was not in force, or had given way to a newer one."
        ),
        severity=Severity.NOTICE,
        noun=Noun.ESCALATION,
        find=query(
            "SELECT e.id, e.ticket_id FROM escalation_escalation e JOIN training_procedureversion v"
            " ON v.id = e.procedure_version_id"
            " WHERE e.id > (SELECT max(id) FROM escalation_escalation) - %(newest)s"
            " AND (v.effective_at > e.opened_at OR EXISTS (SELECT 1"
            " FROM training_procedureversion newer WHERE newer.procedure_id = v.procedure_id"
            " AND newer.number > v.number AND newer.effective_at <= e.opened_at"
            " AND newer.published_at <= e.opened_at)) ORDER BY e.id"
        ),
    ),
)
