"""Keys: nothing that opens a door stands in the database as it is."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from desk.selfcheck.checks import Check, Noun, Severity, query

CHECKS = (
    Check(
        name="key-hashed",
        promise=_("Passwords, tokens and keys in letters are kept as hashes alone."),
        counts=_("Users, API tokens, portal keys and portal sessions with anything else."),
        severity=Severity.NOW,
        noun=Noun.KEY,
        find=query(
            "SELECT 'API token ' || id, NULL::bigint FROM staff_apitoken"
            " WHERE digest !~ '^[0-9a-f]{64}$'"
            " UNION ALL SELECT 'portal key ' || id, NULL FROM tickets_portalkey"
            " WHERE octet_length(digest) <> 32"
            " UNION ALL SELECT 'portal session ' || id, NULL FROM tickets_portalsession"
            " WHERE octet_length(digest) <> 32"
            " UNION ALL SELECT 'user ' || id, NULL FROM staff_user"
            # What Django writes: the algorithm and its parts, or a mark that nothing fits.
            " WHERE password !~ '^(!|[a-z0-9_]+[$].+[$])'"
        ),
    ),
)
