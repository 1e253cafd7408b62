"""Addresses that libraries bring, allauth's and the admin's, and what they answer to whom."""

from __future__ import annotations

from collections.abc import Mapping

from tests.access.answers import (
    ADMIN,
    ADMIN_403,
    ADMIN_404,
    ADMIN_405,
    ALL,
    NONE,
    NOWHERE,
    STAFF,
    Address,
    page,
)

_SIGN_IN = "in in in in in in in in"
#: A step of signing in, or one before which the password is asked again: who has not begun goes to its beginning, who is in goes on.
_STEP = "in in in on on on on on"
#: Asked to sign in first, and only then told that a page has no form.
_NOT_SO = "in in in 405 405 405 405 405"
_VISITOR = "200 200 200 on on on on on"

#: allauth's: who is signed in already is led on, who is not is led to the sign-in page.
ACCOUNTS: Mapping[str, Address] = {
    "account_login": page("/accounts/login/", get=_VISITOR, post=_VISITOR),
    "account_logout": page("/accounts/logout/", get="in in in 200 200 200 200 200", post=_SIGN_IN),
    "account_inactive": page("/accounts/inactive/", get=ALL),
    "account_signup": page("/accounts/signup/", get=_VISITOR, post=_VISITOR),
    "account_reauthenticate": page("/accounts/reauthenticate/", post=STAFF),
    "account_email": page("/accounts/email/", post=_STEP),
    "account_email_verification_sent": page("/accounts/confirm-email/", get=ALL),
    "account_confirm_email": page("/accounts/confirm-email/x/", get=ALL, post=NONE),
    "account_change_password": page("/accounts/password/change/", post=STAFF),
    "account_set_password": page("/accounts/password/set/", get=_STEP, post=_STEP),
    "account_reset_password": page("/accounts/password/reset/", get=ALL, post=ALL),
    "account_reset_password_done": page("/accounts/password/reset/done/", get=ALL),
    "account_reset_password_from_key": page("/accounts/password/reset/key/x-x/", get=ALL, post=ALL),
    "account_reset_password_from_key_done": page("/accounts/password/reset/key/done/", get=ALL),
    "account_confirm_login_code": page("/accounts/login/code/confirm/", get=_STEP, post=_STEP),
    "mfa_index": page("/accounts/2fa/", post=_NOT_SO),
    "mfa_authenticate": page("/accounts/2fa/authenticate/", get=_STEP, post=_STEP),
    "mfa_reauthenticate": page("/accounts/2fa/reauthenticate/", get=_STEP, post=_STEP),
    "mfa_activate_totp": page("/accounts/2fa/totp/activate/", get=_STEP, post=_STEP),
    "mfa_deactivate_totp": page("/accounts/2fa/totp/deactivate/", get=NOWHERE, post=NOWHERE),
    "mfa_view_recovery_codes": page("/accounts/2fa/recovery-codes/", get=NOWHERE, post=_NOT_SO),
    "mfa_generate_recovery_codes": page(
        "/accounts/2fa/recovery-codes/generate/", get=_STEP, post=_STEP
    ),
    "mfa_download_recovery_codes": page(
        "/accounts/2fa/recovery-codes/download/", get=NOWHERE, post=NOWHERE
    ),
}

ADMIN_SITE: Mapping[str, Address] = {
    "admin:index": page("/admin/", get=ADMIN, post=ADMIN),
    "admin:search": page("/admin/search/", get=ADMIN, post=ADMIN),
    "admin:login": page(
        "/admin/login/", get="in in in 403 403 403 403 on", post="in in in 403 403 403 403 200"
    ),
    "admin:logout": page(
        "/admin/logout/", get="on on on on on on on 405", post="on on on on on on on in"
    ),
    "admin:password_change": page("/admin/password_change/", get=ADMIN, post=ADMIN),
    "admin:password_change_done": page("/admin/password_change/done/", get=ADMIN, post=ADMIN_405),
    "admin:autocomplete": page("/admin/autocomplete/", get=ADMIN_403, post=ADMIN_405),
    "admin:jsi18n": page("/admin/jsi18n/", get=ADMIN, post=ADMIN_405),
    "admin:view_on_site": page("/admin/r/1/1/", get=ADMIN_404, post=ADMIN_404),
    "admin:app_list": page("/admin/staff/", get=ADMIN, post=ADMIN),
    "admin:auth_user_password_change": page(
        "/admin/staff/user/{person}/password/", get=ADMIN, post=ADMIN
    ),
    "admin:escalation_policyversion_publish": page(
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
