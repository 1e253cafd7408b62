"""What was said on the demo's tickets, by ticket number and cue.

``$name`` stands for a time of day or a timestamp that the story fills in, so that what is
written agrees with when it was written.
"""

from __future__ import annotations

from collections.abc import Mapping

from helpdesk.demo.conversations import access, money, programs, records

SUBJECTS: Mapping[int, str] = {
    1042: "POST /v2/invoices returns 502",
    1041: "Cannot invite a colleague",
    1040: "Webhook signature fails after key rotation",
    1039: "Export hängt bei 40 %",
    1038: "SSO login loop for one department",
    1037: "Duplicate charges on yesterday's orders",
    1036: "Data residency proof for our auditor",
    1035: "429 since Friday",
    1034: "Wrong VAT on invoices for books",
    1033: "Callback kommt verspätet an",
    1032: "Refunds fail",
    1031: "Our CTO wants a call about the API",
    1030: "Sandbox certificate rejected",
    1024: "PDF receipts come in the wrong language",
    1023: "Umlaute im Export kaputt",
    1022: "Login code never arrives",
    1021: "Rotate keys before our audit",
    1020: "Wrong currency on a payout",
    1019: "Security questionnaire for the annual review",
}

SAID: Mapping[int, Mapping[str, str]] = {
    **access.SAID,
    **money.SAID,
    **programs.SAID,
    **records.SAID,
}
