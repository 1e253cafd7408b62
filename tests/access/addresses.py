"""Every address of our own, and what it answers to whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.urls import URLPattern, URLResolver, get_resolver

from desk.escalationactions import ON_ESCALATION
from desk.portal.views.tickets import ACTS
from desk.ticketactions import ON_TICKET
from desk.training.views.authoring import ACTS as VERSION_ACTS
from notifications.views.webhooks import ACTS as WEBHOOK_ACTS
from tests.access.answers import (
    ALL,
    CUSTOMER,
    CUSTOMER_DOES,
    DOES,
    LEADS,
    LEADS_DO,
    LEADS_DO_PRIVATE,
    LEADS_NOWHERE,
    LEADS_PRIVATE,
    NONE,
    NOT_SO,
    NOT_THEIRS,
    NOWHERE,
    PRIVATE,
    STAFF,
    WRONG,
    Address,
    acts,
    at_once,
    does,
    does_with_webhook,
    of_procedure,
    of_ticket,
    of_webhook,
    once,
    page,
    rooms,
)

TICKET = "/tickets/{ticket}/"
WEBHOOK = "/settings/webhooks/{webhook}/"

OURS: Mapping[str, Address] = {
    "health:healthz": page("/healthz", get=ALL),
    "health:readyz": page("/readyz", get=ALL),
    # On a machine of one's own; see tests/health/test_doors.py for the token.
    "health:metrics": page("/metrics", get=ALL),
    "desk:home": page("/", get="in in in on on on on on"),
    "desk:triage": page("/desk/", "/desk/?view=all_open&q=a&priority=1&assignee=0"),
    "desk:versions": page(
        "/desk/versions",
        "/desk/versions?page=triage",
        "/desk/versions?ticket={ticket}",
        get="401 401 401 200 200 200 200 200",
    ),
    "desk:api-docs": page("/api/docs/"),
    "desk:single-keys": Address("/desk/single-keys", once(NOT_SO), once(DOES)),
    "desk:training": page("/training/"),
    "desk:procedure": Address(
        "/training/{procedure}/",
        {"own": STAFF, "nowhere": NOWHERE},
        once(NOT_SO),
        ("/training/{procedure}/?version=1",),
    ),
    "desk:check": Address(
        "/training/{procedure}/check/",
        {"own": STAFF, "nowhere": NOWHERE},
        {"own": DOES, "nowhere": NOWHERE},
    ),
    # Anna's; whoever else asks is told of nothing, leads included.
    "desk:attempt": Address(
        "/training/{procedure}/check/{attempt}/",
        {"own": "in in in 200 404 404 404 404", "nowhere": NOWHERE},
        {"own": "in in in did 404 404 404 404", "nowhere": NOWHERE},
    ),
    "desk:lesson": Address(
        "/training/{procedure}/lesson/",
        {"own": STAFF, "nowhere": NOWHERE},
        {"own": DOES, "nowhere": NOWHERE},
        (
            "/training/{procedure}/lesson/?step=gather&all=1",
            "/training/{procedure}/lesson/?video=en",
            "/training/{procedure}/lesson/?print=1",
        ),
    ),
    "desk:lesson-video": Address(
        "/training/{procedure}/video/{video}/", {"own": STAFF, "nowhere": NOWHERE}, once(NOT_SO)
    ),
    "desk:lesson-captions": Address(
        "/training/{procedure}/video/{video}/captions/",
        {"own": STAFF, "nowhere": NOWHERE},
        once(NOT_SO),
    ),
    "desk:lesson-videos": Address(
        "/training/{procedure}/versions/2/lesson/",
        of_procedure(LEADS),
        of_procedure(LEADS_DO),
        ("/training/{procedure}/versions/1/lesson/",),
    ),
    "desk:questions": Address(
        "/training/{procedure}/questions/",
        {"own": LEADS, "nowhere": LEADS_NOWHERE},
        once(NOT_SO),
        (
            "/training/{procedure}/questions/?version=all",
            "/training/{procedure}/questions/?version=1&page=9",
        ),
    ),
    "desk:procedures": page("/training/procedures/", get=LEADS),
    "desk:procedure-new": page("/training/procedures/new/", get=LEADS, post=LEADS_DO),
    "desk:procedure-changes": Address(
        "/training/{procedure}/changes/", {"own": STAFF, "nowhere": NOWHERE}, once(NOT_SO)
    ),
    "desk:procedure-owner": Address(
        "/training/{procedure}/owner/", once(NOT_SO), of_procedure(LEADS_DO)
    ),
    "desk:procedure-versions": Address(
        "/training/{procedure}/versions/", of_procedure(LEADS), once(NOT_SO)
    ),
    "desk:procedure-next": Address(
        "/training/{procedure}/versions/new/",
        of_procedure("in in in 403 403 on on on"),
        of_procedure(LEADS_DO),
    ),
    "desk:procedure-version": Address(
        "/training/{procedure}/versions/1/",
        of_procedure(LEADS),
        once(NOT_SO),
        ("/training/{procedure}/versions/2/?against=1&language=de",),
    ),
    "desk:procedure-edit": Address(
        "/training/{procedure}/versions/2/edit/", of_procedure(LEADS), of_procedure(LEADS_DO)
    ),
    "desk:procedure-files": Address(
        "/training/{procedure}/versions/1/files/",
        of_procedure(LEADS),
        once(NOT_SO),
        ("/training/{procedure}/versions/1/files/?language=en",),
    ),
    "desk:procedure-act": Address(
        "/training/{procedure}/versions/2/submit/",
        once(NOT_SO),
        of_procedure(LEADS_DO),
        tuple(f"/training/{{procedure}}/versions/2/{act}/" for act in VERSION_ACTS),
    ),
    "desk:training-record": Address(
        "/training/{procedure}/record/",
        {"own": STAFF, "nowhere": NOWHERE},
        once(NOT_SO),
        ("/training/{procedure}/record/?page=2",),
    ),
    "desk:training-people": page(
        "/training/people/", "/training/people/?standing=never&name=a&page=2", get=LEADS
    ),
    "desk:training-people-csv": page("/training/people/csv/", get=LEADS),
    "desk:training-remind": Address("/training/people/remind/", once(NOT_SO), once(LEADS_DO)),
    # Anna's: of the team that the lead leads; and of nobody.
    "desk:training-person": Address(
        "/training/people/{person}/",
        {"own": LEADS, "private": LEADS_PRIVATE, "nowhere": LEADS_NOWHERE},
        once(NOT_SO),
    ),
    "desk:training-attempt": Address(
        "/training/people/{person}/attempts/{attempt}/",
        {"own": LEADS, "nowhere": LEADS_NOWHERE},
        once(NOT_SO),
    ),
    "desk:training-required": Address(
        "/training/{procedure}/people/",
        {"own": LEADS, "nowhere": LEADS_NOWHERE},
        {"own": LEADS_DO, "nowhere": LEADS_NOWHERE},
    ),
    "desk:training-ask": Address(
        "/training/{procedure}/people/ask/",
        {"own": NOT_SO, "nowhere": NOT_SO},
        {"own": LEADS_DO, "nowhere": LEADS_NOWHERE},
    ),
    "desk:training-lift": Address(
        "/training/{procedure}/people/{requirement}/lift/",
        {"own": NOT_SO, "nowhere": NOT_SO},
        {"own": LEADS_DO, "private": LEADS_DO_PRIVATE, "nowhere": LEADS_NOWHERE},
    ),
    "desk:offers": page("/offers/"),
    "desk:search": page(
        "/search/", "/search/?q=fails+status:open", "/search/?q=nothing+like+it&page=9"
    ),
    "desk:escalations": page("/escalations/", "/escalations/?team=1"),
    "desk:escalation-card": Address(
        "/escalations/{escalation}/",
        rooms("in in in 404 404 200 200 200", PRIVATE, NOWHERE),
        once(NOT_SO),
        ("/escalations/{escalation}/?next=/escalations/?team=1",),
    ),
    "desk:mail": page("/mail/", "/mail/?state=queued"),
    "desk:mail-letter": of_ticket("/mail/{letter}/"),
    "desk:mail-html": of_ticket("/mail/{letter}/html/"),
    "desk:send-once-more": Address(
        "/mail/{letter}/send/",
        once(NOT_SO),
        rooms("in in in 403 403 did did did", "in in in 403 403 404 did did", LEADS_NOWHERE),
    ),
    "desk:outbox-pause": page("/mail/pause/"),
    "desk:outbox-pause-act": Address(
        "/mail/pause/begin/", once(NOT_SO), once(LEADS_DO), ("/mail/pause/end/",)
    ),
    "desk:held-mail": page("/mail/held/"),
    "desk:held-mail-act": Address(
        "/mail/held/{held}/release/",
        once(NOT_SO),
        {
            "own": "in in in 403 403 did did did",
            "nowhere": "in in in 403 403 404 404 404",
        },
        ("/mail/held/{held}/retry/",),
    ),
    "desk:new-call": page(
        "/tickets/new/", "/tickets/new/?q=dana", "/tickets/new/?new=1", post=DOES
    ),
    "desk:ticket": of_ticket(TICKET, TICKET + "?pane=1"),
    "desk:escalate": of_ticket(TICKET + "escalate/", post=True),
    "desk:letter-preview": Address(
        TICKET + "escalate/letter/", once(NOT_SO), rooms(STAFF, PRIVATE, NOWHERE)
    ),
    "desk:attachment": of_ticket(TICKET + "attachments/{attachment}/"),
    "desk:message-html": of_ticket(TICKET + "messages/{message}/html/"),
    "desk:accept-message": does(TICKET + "messages/{accept}/accept/"),
    "desk:follow-up-done": does(TICKET + "follow-ups/{follow_up}/done/"),
    "desk:act": acts(TICKET + "{action}/", ON_TICKET),
    "desk:act-on-escalation": acts(TICKET + "escalations/{escalation}/{action}/", ON_ESCALATION),
    # What stands behind the comma tells apart what one pattern answers differently.
    "desk:act, at once": at_once(TICKET + "{action}/", ON_TICKET),
    "desk:act-on-escalation, at once": at_once(
        TICKET + "escalations/{escalation}/{action}/", ON_ESCALATION
    ),
    # The customers' doors
    "desk:status": Address(
        "/s/{token}/",
        {"own": ALL, "private": ALL, "nowhere": NONE},
        once(NOT_SO),
    ),
    "desk:new": Address(
        "/new/?category=",
        once(ALL),
        once(ALL),
        ("/new/?category=nothing",),
    ),
    "desk:new-sent": page("/new/sent/", get=ALL),
    "desk:new-confirm": Address(
        "/new/confirm/{key}/",
        {"nowhere": "portal portal portal portal portal portal portal portal"},
        {"nowhere": "portal portal portal portal portal portal portal portal"},
    ),
    "desk:portal": page("/portal/", get=CUSTOMER),
    "desk:portal-sign-in": Address(
        "/portal/sign-in/",
        once("200 200 on 200 200 200 200 200"),
        once(WRONG),
    ),
    "desk:portal-link-sent": page("/portal/sign-in/sent/", get=ALL),
    "desk:portal-enter": Address(
        "/portal/in/{key}/",
        {"own": ALL, "nowhere": "portal portal portal portal portal portal portal portal"},
        {
            "own": "on on on on on on on on",
            "nowhere": "portal portal portal portal portal portal portal portal",
        },
    ),
    # Who is not signed in is led to where one signs in, as is who has just signed out.
    "desk:portal-sign-out": Address(
        "/portal/sign-out/", once(NOT_SO), once(" ".join(["portal"] * 8))
    ),
    "desk:portal-language": Address("/portal/language/", once(NOT_SO), once(CUSTOMER_DOES)),
    "desk:portal-ticket": Address(
        "/portal/{ticket}/", rooms(CUSTOMER, NOT_THEIRS, NOT_THEIRS), once(NOT_SO)
    ),
    "desk:portal-file": Address(
        "/portal/{ticket}/files/{attachment}/",
        rooms(CUSTOMER, NOT_THEIRS, NOT_THEIRS),
        once(NOT_SO),
    ),
    "desk:portal-act": Address(
        "/portal/{ticket}/answer/",
        once(NOT_SO),
        rooms(CUSTOMER_DOES, NOT_THEIRS, NOT_THEIRS),
        tuple(f"/portal/{{ticket}}/{action}/" for action in ACTS if action != "answer"),
    ),
    "desk:settings": page("/settings/", post=DOES),
    "desk:tokens": page("/settings/tokens/", "/settings/tokens/?before=9", post=DOES),
    # A token is its person's alone: the room is the agent's.
    "desk:revoke-token": Address(
        "/settings/tokens/{api_token}/revoke/",
        rooms("in in in 200 404 404 404 404", NOWHERE, NOWHERE),
        rooms("in in in did 404 404 404 404", NOWHERE, NOWHERE),
    ),
    "desk:selfcheck": page(
        "/settings/selfcheck/",
        "/settings/selfcheck/?check=x&before=9",
        get=LEADS,
        post=LEADS_DO,
    ),
    "notifications:webhooks": page("/settings/webhooks/", "/settings/webhooks/?page=9", get=LEADS),
    "notifications:webhook-new": page(
        "/settings/webhooks/new/", "/settings/webhooks/new/?preset=slack", get=LEADS, post=LEADS_DO
    ),
    "notifications:webhook": of_webhook(WEBHOOK, WEBHOOK + "?state=failed"),
    "notifications:webhook-edit": of_webhook(WEBHOOK + "edit/", post=True),
    "notifications:webhook-message": of_webhook(WEBHOOK + "messages/{told}/"),
    "notifications:webhook-resend": does_with_webhook(WEBHOOK + "messages/{told}/resend/"),
    "notifications:webhook-act": does_with_webhook(
        *(f"{WEBHOOK}{action}/" for action in WEBHOOK_ACTS)
    ),
    # Only the provider that sends for us is heard, and the tests have none.
    "notifications:hook": Address("/hooks/postmark/", once(NONE), once(NONE)),
}

ESCALATION_ACTIONS = (
    "accept",
    "accept-for",
    "decline",
    "send-back",
    "hand-on",
    "offer-again",
    "withdraw",
    "de-escalate",
    "resolve",
    "reassign",
)
_TOKEN_ONLY = "401 401 401 401 401 401 401 401"
_A_TICKETS = "/api/v1/tickets/{ticket}/"

#: A program's: a session opens nothing there but the schema. Who may what with a token stands in
#: ``tests/api/test_access.py``.
API: Mapping[str, Address] = {
    "api:schema": page(
        "/api/v1/schema/",
        get="401 401 401 200 200 200 200 200",
        post="401 401 401 405 405 405 405 405",
    ),
    **{
        f"api:{name}": page(path, get=_TOKEN_ONLY, post=_TOKEN_ONLY)
        for name, path in {
            "organizations": "/api/v1/organizations/",
            "organization": "/api/v1/organizations/1/",
            "contacts": "/api/v1/contacts/",
            "contact": "/api/v1/contacts/1/",
            "tickets": "/api/v1/tickets/",
            "ticket": _A_TICKETS,
            "messages": _A_TICKETS + "messages/",
            "attachment": _A_TICKETS + "attachments/{attachment}/",
            "details": _A_TICKETS + "details/",
            "detail": _A_TICKETS + "details/key-id/",
            "ask": _A_TICKETS + "ask/",
            "follow-ups": _A_TICKETS + "follow-ups/",
            "follow-up-done": _A_TICKETS + "follow-ups/{follow_up}/done/",
            "resolve": _A_TICKETS + "resolve/",
            "close": _A_TICKETS + "close/",
            "reopen": _A_TICKETS + "reopen/",
            "snooze": _A_TICKETS + "snooze/",
            "unsnooze": _A_TICKETS + "unsnooze/",
            "events": _A_TICKETS + "events/",
            "ticket-escalations": _A_TICKETS + "escalations/",
            "promises": _A_TICKETS + "promises/",
            "new-time": _A_TICKETS + "new-time/",
            "update": _A_TICKETS + "update/",
            "decisions": _A_TICKETS + "decisions/",
            "explanation": _A_TICKETS + "explanation/",
            "deliveries": _A_TICKETS + "deliveries/",
            "escalations": "/api/v1/escalations/",
            "escalation": "/api/v1/escalations/{escalation}/",
            **{
                f"escalation-{action}": f"/api/v1/escalations/{{escalation}}/{action}/"
                for action in ESCALATION_ACTIONS
            },
            "staff": "/api/v1/staff/",
            "teams": "/api/v1/teams/",
            "tiers": "/api/v1/tiers/",
            "categories": "/api/v1/categories/",
            "plans": "/api/v1/plans/",
            "nowhere": "/api/v1/nowhere",
        }.items()
    },
}


def every_pattern() -> Iterator[tuple[str, str]]:
    """Every pattern of the project with the name of its view."""
    yield from _walk(get_resolver(), "", "")


def _walk(resolver: URLResolver, start: str, space: str) -> Iterator[tuple[str, str]]:
    for each in resolver.url_patterns:
        path = f"{start}{each.pattern}"
        if isinstance(each, URLPattern):
            yield path, f"{space}{each.name or path}"
        else:
            yield from _walk(each, path, f"{space}{each.namespace}:" if each.namespace else space)
