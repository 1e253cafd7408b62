"""Mail in: none that was accepted is lost."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from desk.selfcheck.checks import Check, Noun, Severity, query

CHECKS = (
    Check(
        name="mail-read",
        promise=_("Every mail that was accepted is read at once, or kept with the reason why not."),
        counts=_("Mails that were stored more than five minutes ago and not read since."),
        severity=Severity.NOW,
        noun=Noun.INBOUND,
        find=query(
            "SELECT id, ticket_id FROM tickets_inboundemail WHERE outcome = 'stored'"
            " AND received_at < %(now)s - interval '5 minutes' ORDER BY received_at"
        ),
    ),
    Check(
        name="mail-filed",
        promise=_("Every mail that was taken in stands as a message on its ticket."),
        counts=_(
            "Mails that opened a ticket or were added to one, and whose message is not there."
        ),
        severity=Severity.NOW,
        noun=Noun.INBOUND,
        find=query(
            "SELECT i.id, i.ticket_id FROM tickets_inboundemail i"
            " LEFT JOIN tickets_message m ON m.id = i.message_id"
            " WHERE i.outcome IN ('created', 'appended')"
            " AND (m.id IS NULL OR m.ticket_id IS DISTINCT FROM i.ticket_id)"
            " AND i.id > (SELECT max(id) FROM tickets_inboundemail) - %(newest)s ORDER BY i.id"
        ),
    ),
    Check(
        name="mail-reason",
        promise=_("Every mail that was not put on a ticket says why."),
        counts=_("Mails that are suspended, quarantined or ignored without a reason."),
        severity=Severity.TODAY,
        noun=Noun.INBOUND,
        find=query(
            "SELECT id, ticket_id FROM tickets_inboundemail"
            " WHERE outcome IN ('suspended', 'quarantined', 'ignored') AND reason = '' ORDER BY id"
        ),
    ),
    Check(
        name="mail-bytes",
        promise=_("A mail is kept byte for byte as it came."),
        counts=_(
            "Mails, some of the newest, whose bytes have another size or checksum than noted."
        ),
        severity=Severity.NOW,
        noun=Noun.INBOUND,
        find=query(
            "SELECT id, ticket_id FROM"
            " (SELECT * FROM tickets_inboundemail ORDER BY id DESC LIMIT %(sample)s) AS newest"
            " WHERE octet_length(raw) <> size OR sha256(raw) <> sha256"
        ),
    ),
)
