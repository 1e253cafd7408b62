"""Every address of the project, and what it answers to whom.

A column per person, in the order of ``PEOPLE``: a visitor, a dismissed colleague who is still
signed in, a customer signed in at the portal, an agent, an agent of another private team, a lead,
a manager and an admin. ``in`` leads to the sign-in page, ``portal`` to the customers', ``admin``
to the configuration's; ``on`` leads anywhere else; ``did`` is a form's answer: on, or the page
with what is wrong (422).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from django.urls import URLPattern, URLResolver, get_resolver

from desk.actions import Action
from desk.escalationactions import ON_ESCALATION
from desk.portal.views.tickets import ACTS
from desk.ticketactions import ON_TICKET
from desk.training.views.authoring import ACTS as VERSION_ACTS
from notifications.views.webhooks import ACTS as WEBHOOK_ACTS

PEOPLE = ("visitor", "disabled", "contact", "agent", "outsider", "lead", "manager", "admin")

ALL = "200 200 200 200 200 200 200 200"
NONE = "404 404 404 404 404 404 404 404"
NOT_SO = "405 405 405 405 405 405 405 405"
WRONG = "422 422 422 422 422 422 422 422"
#: For who works here.
STAFF = "in in in 200 200 200 200 200"
#: The same, of a private team's ticket: leads of other teams see it no more than agents do.
PRIVATE = "in in in 404 404 404 200 200"
NOWHERE = "in in in 404 404 404 404 404"
DOES = "in in in did did did did did"
DOES_PRIVATE = "in in in 404 404 404 did did"
#: Dana, of what is hers, and of what is not.
CUSTOMER = "portal portal 200 portal portal portal portal portal"
CUSTOMER_DOES = "portal portal did portal portal portal portal portal"
NOT_THEIRS = "portal portal 404 portal portal portal portal portal"
ADMIN = "admin admin admin admin admin admin admin 200"
ADMIN_404 = "admin admin admin admin admin admin admin 404"
ADMIN_405 = "admin admin admin admin admin admin admin 405"
ADMIN_403 = "admin admin admin admin admin admin admin 403"


#: For who answers for others' work.
LEADS = "in in in 403 403 200 200 200"
LEADS_PRIVATE = "in in in 403 403 404 200 200"
LEADS_NOWHERE = "in in in 403 403 404 404 404"
LEADS_DO = "in in in 403 403 did did did"
LEADS_DO_PRIVATE = "in in in 403 403 404 did did"


@dataclass(frozen=True)
class Address:
    """An address with places for what a room has; ``get`` and ``post`` by room."""

    path: str
    get: Mapping[str, str] = field(default_factory=dict)
    post: Mapping[str, str] = field(default_factory=dict)
    #: Further addresses of the same pattern that answer alike.
    also: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.path, *self.also)


def _once(answer: str) -> dict[str, str]:
    return {"own": answer}


def _rooms(own: str, private: str, nowhere: str) -> dict[str, str]:
    return {"own": own, "private": private, "nowhere": nowhere}


def _page(path: str, *also: str, get: str = STAFF, post: str = NOT_SO) -> Address:
    return Address(path, _once(get), _once(post), also)


def _of_ticket(path: str, *also: str, post: bool = False) -> Address:
    """What shows something of a ticket."""
    return Address(
        path,
        _rooms(STAFF, PRIVATE, NOWHERE),
        _rooms(DOES, DOES_PRIVATE, NOWHERE) if post else _once(NOT_SO),
        also,
    )


def _does(path: str, *also: str) -> Address:
    """What changes something of a ticket."""
    return Address(path, _once(NOT_SO), _rooms(DOES, DOES_PRIVATE, NOWHERE), also)


def _acts(path: str, actions: Mapping[str, Action]) -> Address:
    """What is done to a ticket, and its form; of the rest the forms stand in the ticket's page."""
    first, *rest = (path.replace("{action}", name) for name in actions if actions[name].label)
    return _of_ticket(first, *rest, post=True)


def _at_once(path: str, actions: Mapping[str, Action]) -> Address:
    first, *rest = (path.replace("{action}", name) for name in actions if not actions[name].label)
    return Address(
        first,
        _rooms("in in in 405 405 405 405 405", "in in in 404 404 404 405 405", NOWHERE),
        _rooms(DOES, DOES_PRIVATE, NOWHERE),
        tuple(rest),
    )


def _of_webhook(path: str, *also: str, post: bool = False) -> Address:
    """What shows something of a webhook."""
    return Address(
        path,
        _rooms(LEADS, LEADS_PRIVATE, LEADS_NOWHERE),
        _rooms(LEADS_DO, LEADS_DO_PRIVATE, LEADS_NOWHERE) if post else _once(NOT_SO),
        also,
    )


def _does_with_webhook(path: str, *also: str) -> Address:
    """What changes something of a webhook."""
    return Address(path, _once(NOT_SO), _rooms(LEADS_DO, LEADS_DO_PRIVATE, LEADS_NOWHERE), also)


def _of_procedure(own: str) -> dict[str, str]:
    """What leads do with procedures, of which no team has one of its own."""
    return {"own": own, "nowhere": LEADS_NOWHERE}


TICKET = "/tickets/{ticket}/"
WEBHOOK = "/settings/webhooks/{webhook}/"

OURS: Mapping[str, Address] = {
    "health:healthz": _page("/healthz", get=ALL),
    "health:readyz": _page("/readyz", get=ALL),
    # On a machine of one's own; see tests/health/test_doors.py for the token.
    "health:metrics": _page("/metrics", get=ALL),
    "desk:home": _page("/", get="in in in on on on on on"),
    "desk:triage": _page("/desk/", "/desk/?view=all_open&q=a&priority=1&assignee=0"),
    "desk:versions": _page(
        "/desk/versions",
        "/desk/versions?page=triage",
        "/desk/versions?ticket={ticket}",
        get="401 401 401 200 200 200 200 200",
    ),
    "desk:api-docs": _page("/api/docs/"),
    "desk:single-keys": Address("/desk/single-keys", _once(NOT_SO), _once(DOES)),
    "desk:training": _page("/training/"),
    "desk:procedure": Address(
        "/training/{procedure}/",
        {"own": STAFF, "nowhere": NOWHERE},
        _once(NOT_SO),
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
        "/training/{procedure}/video/{video}/", {"own": STAFF, "nowhere": NOWHERE}, _once(NOT_SO)
    ),
    "desk:lesson-captions": Address(
        "/training/{procedure}/video/{video}/captions/",
        {"own": STAFF, "nowhere": NOWHERE},
        _once(NOT_SO),
    ),
    "desk:lesson-videos": Address(
        "/training/{procedure}/versions/2/lesson/",
        _of_procedure(LEADS),
        _of_procedure(LEADS_DO),
        ("/training/{procedure}/versions/1/lesson/",),
    ),
    "desk:questions": Address(
        "/training/{procedure}/questions/",
        {"own": LEADS, "nowhere": LEADS_NOWHERE},
        _once(NOT_SO),
        (
            "/training/{procedure}/questions/?version=all",
            "/training/{procedure}/questions/?version=1&page=9",
        ),
    ),
    "desk:procedures": _page("/training/procedures/", get=LEADS),
    "desk:procedure-new": _page("/training/procedures/new/", get=LEADS, post=LEADS_DO),
    "desk:procedure-changes": Address(
        "/training/{procedure}/changes/", {"own": STAFF, "nowhere": NOWHERE}, _once(NOT_SO)
    ),
    "desk:procedure-owner": Address(
        "/training/{procedure}/owner/", _once(NOT_SO), _of_procedure(LEADS_DO)
    ),
    "desk:procedure-versions": Address(
        "/training/{procedure}/versions/", _of_procedure(LEADS), _once(NOT_SO)
    ),
    "desk:procedure-next": Address(
        "/training/{procedure}/versions/new/",
        _of_procedure("in in in 403 403 on on on"),
        _of_procedure(LEADS_DO),
    ),
    "desk:procedure-version": Address(
        "/training/{procedure}/versions/1/",
        _of_procedure(LEADS),
        _once(NOT_SO),
        ("/training/{procedure}/versions/2/?against=1&language=de",),
    ),
    "desk:procedure-edit": Address(
        "/training/{procedure}/versions/2/edit/", _of_procedure(LEADS), _of_procedure(LEADS_DO)
    ),
    "desk:procedure-files": Address(
        "/training/{procedure}/versions/1/files/",
        _of_procedure(LEADS),
        _once(NOT_SO),
        ("/training/{procedure}/versions/1/files/?language=en",),
    ),
    "desk:procedure-act": Address(
        "/training/{procedure}/versions/2/submit/",
        _once(NOT_SO),
        _of_procedure(LEADS_DO),
        tuple(f"/training/{{procedure}}/versions/2/{act}/" for act in VERSION_ACTS),
    ),
    "desk:training-record": Address(
        "/training/{procedure}/record/",
        {"own": STAFF, "nowhere": NOWHERE},
        _once(NOT_SO),
        ("/training/{procedure}/record/?page=2",),
    ),
    "desk:training-people": _page(
        "/training/people/", "/training/people/?standing=never&name=a&page=2", get=LEADS
    ),
    "desk:training-people-csv": _page("/training/people/csv/", get=LEADS),
    "desk:training-remind": Address("/training/people/remind/", _once(NOT_SO), _once(LEADS_DO)),
    # Anna's: of the team that the lead leads; and of nobody.
    "desk:training-person": Address(
        "/training/people/{person}/",
        {"own": LEADS, "private": LEADS_PRIVATE, "nowhere": LEADS_NOWHERE},
        _once(NOT_SO),
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
    "desk:offers": _page("/offers/"),
    "desk:search": _page(
        "/search/", "/search/?q=fails+status:open", "/search/?q=nothing+like+it&page=9"
    ),
    "desk:escalations": _page("/escalations/", "/escalations/?team=1"),
    "desk:escalation-card": Address(
        "/escalations/{escalation}/",
        _rooms("in in in 404 404 200 200 200", PRIVATE, NOWHERE),
        _once(NOT_SO),
        ("/escalations/{escalation}/?next=/escalations/?team=1",),
    ),
    "desk:mail": _page("/mail/", "/mail/?state=queued"),
    "desk:mail-letter": _of_ticket("/mail/{letter}/"),
    "desk:mail-html": _of_ticket("/mail/{letter}/html/"),
    "desk:send-once-more": Address(
        "/mail/{letter}/send/",
        _once(NOT_SO),
        _rooms("in in in 403 403 did did did", "in in in 403 403 404 did did", LEADS_NOWHERE),
    ),
    "desk:outbox-pause": _page("/mail/pause/"),
    "desk:outbox-pause-act": Address(
        "/mail/pause/begin/", _once(NOT_SO), _once(LEADS_DO), ("/mail/pause/end/",)
    ),
    "desk:held-mail": _page("/mail/held/"),
    "desk:held-mail-act": Address(
        "/mail/held/{held}/release/",
        _once(NOT_SO),
        {
            "own": "in in in 403 403 did did did",
            "nowhere": "in in in 403 403 404 404 404",
        },
        ("/mail/held/{held}/retry/",),
    ),
    "desk:new-call": _page(
        "/tickets/new/", "/tickets/new/?q=dana", "/tickets/new/?new=1", post=DOES
    ),
    "desk:ticket": _of_ticket(TICKET, TICKET + "?pane=1"),
    "desk:escalate": _of_ticket(TICKET + "escalate/", post=True),
    "desk:letter-preview": Address(
        TICKET + "escalate/letter/", _once(NOT_SO), _rooms(STAFF, PRIVATE, NOWHERE)
    ),
    "desk:attachment": _of_ticket(TICKET + "attachments/{attachment}/"),
    "desk:message-html": _of_ticket(TICKET + "messages/{message}/html/"),
    "desk:accept-message": _does(TICKET + "messages/{accept}/accept/"),
    "desk:follow-up-done": _does(TICKET + "follow-ups/{follow_up}/done/"),
    "desk:act": _acts(TICKET + "{action}/", ON_TICKET),
    "desk:act-on-escalation": _acts(TICKET + "escalations/{escalation}/{action}/", ON_ESCALATION),
    # What stands behind the comma tells apart what one pattern answers differently.
    "desk:act, at once": _at_once(TICKET + "{action}/", ON_TICKET),
    "desk:act-on-escalation, at once": _at_once(
        TICKET + "escalations/{escalation}/{action}/", ON_ESCALATION
    ),
    # The customers' doors
    "desk:status": Address(
        "/s/{token}/",
        {"own": ALL, "private": ALL, "nowhere": NONE},
        _once(NOT_SO),
    ),
    "desk:new": Address(
        "/new/?category=",
        _once(ALL),
        _once(ALL),
        ("/new/?category=nothing",),
    ),
    "desk:new-sent": _page("/new/sent/", get=ALL),
    "desk:new-confirm": Address(
        "/new/confirm/{key}/",
        {"nowhere": "portal portal portal portal portal portal portal portal"},
        {"nowhere": "portal portal portal portal portal portal portal portal"},
    ),
    "desk:portal": _page("/portal/", get=CUSTOMER),
    "desk:portal-sign-in": Address(
        "/portal/sign-in/",
        _once("200 200 on 200 200 200 200 200"),
        _once(WRONG),
    ),
    "desk:portal-link-sent": _page("/portal/sign-in/sent/", get=ALL),
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
        "/portal/sign-out/", _once(NOT_SO), _once(" ".join(["portal"] * 8))
    ),
    "desk:portal-language": Address("/portal/language/", _once(NOT_SO), _once(CUSTOMER_DOES)),
    "desk:portal-ticket": Address(
        "/portal/{ticket}/", _rooms(CUSTOMER, NOT_THEIRS, NOT_THEIRS), _once(NOT_SO)
    ),
    "desk:portal-file": Address(
        "/portal/{ticket}/files/{attachment}/",
        _rooms(CUSTOMER, NOT_THEIRS, NOT_THEIRS),
        _once(NOT_SO),
    ),
    "desk:portal-act": Address(
        "/portal/{ticket}/answer/",
        _once(NOT_SO),
        _rooms(CUSTOMER_DOES, NOT_THEIRS, NOT_THEIRS),
        tuple(f"/portal/{{ticket}}/{action}/" for action in ACTS if action != "answer"),
    ),
    "desk:settings": _page("/settings/", post=DOES),
    "desk:tokens": _page("/settings/tokens/", "/settings/tokens/?before=9", post=DOES),
    # A token is its person's alone: the room is the agent's.
    "desk:revoke-token": Address(
        "/settings/tokens/{api_token}/revoke/",
        _rooms("in in in 200 404 404 404 404", NOWHERE, NOWHERE),
        _rooms("in in in did 404 404 404 404", NOWHERE, NOWHERE),
    ),
    "desk:selfcheck": _page(
        "/settings/selfcheck/",
        "/settings/selfcheck/?check=x&before=9",
        get=LEADS,
        post=LEADS_DO,
    ),
    "notifications:webhooks": _page("/settings/webhooks/", "/settings/webhooks/?page=9", get=LEADS),
    "notifications:webhook-new": _page(
        "/settings/webhooks/new/", "/settings/webhooks/new/?preset=slack", get=LEADS, post=LEADS_DO
    ),
    "notifications:webhook": _of_webhook(WEBHOOK, WEBHOOK + "?state=failed"),
    "notifications:webhook-edit": _of_webhook(WEBHOOK + "edit/", post=True),
    "notifications:webhook-message": _of_webhook(WEBHOOK + "messages/{told}/"),
    "notifications:webhook-resend": _does_with_webhook(WEBHOOK + "messages/{told}/resend/"),
    "notifications:webhook-act": _does_with_webhook(
        *(f"{WEBHOOK}{action}/" for action in WEBHOOK_ACTS)
    ),
    # Only the provider that sends for us is heard, and the tests have none.
    "notifications:hook": Address("/hooks/postmark/", _once(NONE), _once(NONE)),
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
    "api:schema": _page(
        "/api/v1/schema/",
        get="401 401 401 200 200 200 200 200",
        post="401 401 401 405 405 405 405 405",
    ),
    **{
        f"api:{name}": _page(path, get=_TOKEN_ONLY, post=_TOKEN_ONLY)
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

_SIGN_IN = "in in in in in in in in"
#: A step of signing in, or one before which the password is asked again: who has not begun goes to its beginning, who is in goes on.
_STEP = "in in in on on on on on"
#: Asked to sign in first, and only then told that a page has no form.
_NOT_SO = "in in in 405 405 405 405 405"
_VISITOR = "200 200 200 on on on on on"

#: allauth's: who is signed in already is led on, who is not is led to the sign-in page.
ACCOUNTS: Mapping[str, Address] = {
    "account_login": _page("/accounts/login/", get=_VISITOR, post=_VISITOR),
    "account_logout": _page("/accounts/logout/", get="in in in 200 200 200 200 200", post=_SIGN_IN),
    "account_inactive": _page("/accounts/inactive/", get=ALL),
    "account_signup": _page("/accounts/signup/", get=_VISITOR, post=_VISITOR),
    "account_reauthenticate": _page("/accounts/reauthenticate/", post=STAFF),
    "account_email": _page("/accounts/email/", post=_STEP),
    "account_email_verification_sent": _page("/accounts/confirm-email/", get=ALL),
    "account_confirm_email": _page("/accounts/confirm-email/x/", get=ALL, post=NONE),
    "account_change_password": _page("/accounts/password/change/", post=STAFF),
    "account_set_password": _page("/accounts/password/set/", get=_STEP, post=_STEP),
    "account_reset_password": _page("/accounts/password/reset/", get=ALL, post=ALL),
    "account_reset_password_done": _page("/accounts/password/reset/done/", get=ALL),
    "account_reset_password_from_key": _page(
        "/accounts/password/reset/key/x-x/", get=ALL, post=ALL
    ),
    "account_reset_password_from_key_done": _page("/accounts/password/reset/key/done/", get=ALL),
    "account_confirm_login_code": _page("/accounts/login/code/confirm/", get=_STEP, post=_STEP),
    "mfa_index": _page("/accounts/2fa/", post=_NOT_SO),
    "mfa_authenticate": _page("/accounts/2fa/authenticate/", get=_STEP, post=_STEP),
    "mfa_reauthenticate": _page("/accounts/2fa/reauthenticate/", get=_STEP, post=_STEP),
    "mfa_activate_totp": _page("/accounts/2fa/totp/activate/", get=_STEP, post=_STEP),
    "mfa_deactivate_totp": _page("/accounts/2fa/totp/deactivate/", get=NOWHERE, post=NOWHERE),
    "mfa_view_recovery_codes": _page("/accounts/2fa/recovery-codes/", get=NOWHERE, post=_NOT_SO),
    "mfa_generate_recovery_codes": _page(
        "/accounts/2fa/recovery-codes/generate/", get=_STEP, post=_STEP
    ),
    "mfa_download_recovery_codes": _page(
        "/accounts/2fa/recovery-codes/download/", get=NOWHERE, post=NOWHERE
    ),
}

ADMIN_SITE: Mapping[str, Address] = {
    "admin:index": _page("/admin/", get=ADMIN, post=ADMIN),
    "admin:search": _page("/admin/search/", get=ADMIN, post=ADMIN),
    "admin:login": _page(
        "/admin/login/", get="in in in 403 403 403 403 on", post="in in in 403 403 403 403 200"
    ),
    "admin:logout": _page(
        "/admin/logout/", get="on on on on on on on 405", post="on on on on on on on in"
    ),
    "admin:password_change": _page("/admin/password_change/", get=ADMIN, post=ADMIN),
    "admin:password_change_done": _page("/admin/password_change/done/", get=ADMIN, post=ADMIN_405),
    "admin:autocomplete": _page("/admin/autocomplete/", get=ADMIN_403, post=ADMIN_405),
    "admin:jsi18n": _page("/admin/jsi18n/", get=ADMIN, post=ADMIN_405),
    "admin:view_on_site": _page("/admin/r/1/1/", get=ADMIN_404, post=ADMIN_404),
    "admin:app_list": _page("/admin/staff/", get=ADMIN, post=ADMIN),
    "admin:auth_user_password_change": _page(
        "/admin/staff/user/{person}/password/", get=ADMIN, post=ADMIN
    ),
    "admin:escalation_policyversion_publish": _page(
        # It is published already.
        "/admin/escalation/policyversion/{version}/publish/",
        get=ADMIN_403,
        post=ADMIN_403,
    ),
}

#: What an admin configures; each has a list, a page to add one, and three pages of each row.
CONFIGURED = (
    "escalation_policy",
    "escalation_policyversion",
    "notifications_mailtemplate",
    "staff_absence",
    "staff_apitoken",
    "staff_calendar",
    "staff_calendarversion",
    "staff_skill",
    "staff_team",
    "staff_tier",
    "staff_user",
    "tickets_category",
    "tickets_contact",
    "tickets_inboundemail",
    "tickets_organization",
    "tickets_plan",
)


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
