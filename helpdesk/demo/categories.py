"""What Brightquay's tickets are about: who knows it, and which details it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from staff.models import Skill, Team
from tickets.models import Category, CategoryTeam, RequiredDetail
from tickets.models.customers import Complexity


@dataclass(frozen=True, slots=True)
class Needed:
    """A required detail, its labels, and the pattern that finds it."""

    key: str
    label: str
    german: str
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """A category as it is set up; ``teams`` by tier."""

    name: str
    complexity: Complexity
    keywords: tuple[str, ...]
    skills: tuple[str, ...]
    teams: Mapping[int, str]
    details: tuple[Needed, ...] = ()


CUSTOMER_ID = Needed("customer_id", "Customer ID", "Kundennummer", r"\b([A-Z]{3}-[0-9]{4})\b")
REQUEST_ID = Needed("request_id", "Request ID", "Anfrage-ID", r"\b(req_[0-9a-z]{6,})\b")

_ESCALATED_TO = {2: "integrations", 3: "platform"}
_EMEA = {1: "frontline-emea", **_ESCALATED_TO}
_AMERICAS = {1: "frontline-americas", **_ESCALATED_TO}

CATEGORIES: Mapping[str, About] = {
    "api-integration": About(
        "API integration",
        Complexity.SPECIALIST,
        ("POST /v", "GET /v", "429", "rate limit", "API key", "rotate keys"),
        ("api",),
        _EMEA,
        (
            CUSTOMER_ID,
            Needed(
                "transaction",
                "Transaction or request ID",
                "Transaktions- oder Anfrage-ID",
                r"\b((?:inv|req|txn)_[0-9a-z]{5,})\b",
            ),
            Needed(
                "error",
                "Exact error",
                "genaue Fehlermeldung",
                r"\b([45][0-9]{2} (?:Bad Gateway|Too Many Requests|Internal Server Error|"
                r"Unauthorized|Forbidden|Not Found|Gateway Timeout))\b",
            ),
            Needed("api_key_id", "API key ID", "ID des API-Schlüssels", r"\b(key_[0-9a-z]{6,})\b"),
        ),
    ),
    "webhooks": About(
        "Webhooks",
        Complexity.SPECIALIST,
        ("webhook", "callback", "signature"),
        ("webhooks",),
        _EMEA,
        (
            CUSTOMER_ID,
            Needed("event_id", "Event ID", "Ereignis-ID", r"\b(evt_[0-9a-z]{6,})\b"),
            Needed("endpoint", "Endpoint", "Adresse des Endpunkts", r"\b(https://[^\s,;]+)"),
            Needed(
                "signing_key_id",
                "Signing key ID",
                "ID des Signaturschlüssels",
                r"\b(whk_[0-9a-z]{6,})\b",
            ),
        ),
    ),
    "billing-and-charges": About(
        "Billing and charges",
        Complexity.MODERATE,
        ("charge", "refund", "VAT", "currency", "invoice total"),
        ("billing",),
        _EMEA,
        (
            CUSTOMER_ID,
            Needed(
                "charge",
                "Charge or invoice",
                "Zahlung oder Rechnung",
                r"\b((?:ch|inv)_[0-9a-z]{5,})\b",
            ),
            Needed(
                "amount",
                "Amount and currency",
                "Betrag und Währung",
                r"((?:EUR|USD|BRL|GBP) ?[0-9][0-9.,]*[0-9])",
            ),
        ),
    ),
    "exports": About(
        "Exports",
        Complexity.MODERATE,
        ("export", "umlaut", "csv"),
        ("exports",),
        _EMEA,
        (
            CUSTOMER_ID,
            Needed("job", "Export job", "Exportauftrag", r"\b(exp_[0-9]{4,})\b"),
            Needed(
                "last_line",
                "Last line of the log",
                "letzte Zeile des Protokolls",
                r"((?:WARN|ERROR|FATAL) .+)",
            ),
        ),
    ),
    "sign-in-and-sso": About(
        "Sign-in and SSO",
        Complexity.SPECIALIST,
        ("SSO", "SAML", "login loop", "sign-in loop"),
        ("sso",),
        _AMERICAS,
        (
            CUSTOMER_ID,
            Needed(
                "identity_provider",
                "Identity provider",
                "Identitätsanbieter",
                r"\b(Entra ID|Okta|Keycloak|Google Workspace|Ping)\b",
            ),
            Needed(
                "correlation_id",
                "Correlation ID",
                "Korrelations-ID",
                r"\b([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b",
            ),
        ),
    ),
    "account-and-access": About(
        "Account and access",
        Complexity.SIMPLE,
        ("invite", "login code", "password", "permission"),
        ("sso",),
        _AMERICAS,
        (
            Needed(
                "affected_address",
                "Affected address",
                "betroffene Adresse",
                r"\b([0-9a-z._+-]+@[0-9a-z-]+(?:\.[0-9a-z-]+)+)\b",
            ),
        ),
    ),
    "certificates": About(
        "Sandbox and certificates",
        Complexity.SPECIALIST,
        ("certificate", "sandbox", "TLS"),
        ("api",),
        _AMERICAS,
        (
            CUSTOMER_ID,
            Needed(
                "serial",
                "Certificate serial",
                "Seriennummer des Zertifikats",
                r"\b((?:[0-9a-f]{2}:){5,}[0-9a-f]{2})\b",
            ),
            Needed("endpoint", "Endpoint", "Adresse des Endpunkts", r"\b(https://[^\s,;]+)"),
        ),
    ),
    "data-and-compliance": About(
        "Data and compliance",
        Complexity.MODERATE,
        ("residency", "GDPR", "questionnaire", "retention"),
        ("compliance",),
        _EMEA,
        (CUSTOMER_ID,),
    ),
    "documents-and-language": About(
        "Documents and language",
        Complexity.MODERATE,
        ("PDF", "language", "translation"),
        ("exports",),
        _EMEA,
        (
            CUSTOMER_ID,
            Needed("document", "Document", "Dokument", r"\b(doc_[0-9a-z]{5,})\b"),
            Needed(
                "locale",
                "Language and country",
                "Sprache und Land",
                r"\b((?:ja|de|en|es|nb|pt)-[A-Z]{2})\b",
            ),
        ),
    ),
}


def load(*, teams: Mapping[str, Team]) -> dict[str, Category]:
    """Make the categories that are missing, with their details and teams; by slug."""
    tiers = {team.tier.number: team.tier for team in teams.values()}
    skills = {skill.slug: skill for skill in Skill.objects.all()}
    made = {}
    for slug, about in CATEGORIES.items():
        category, new = Category.objects.get_or_create(
            slug=slug,
            defaults={
                "name": about.name,
                "complexity": about.complexity,
                "keywords": "\n".join(about.keywords),
            },
        )
        made[slug] = category
        if not new:
            continue
        category.skills.set([skills[skill] for skill in about.skills])
        CategoryTeam.objects.bulk_create(
            CategoryTeam(category=category, tier=tiers[tier], team=teams[team])
            for tier, team in about.teams.items()
        )
        RequiredDetail.objects.bulk_create(
            RequiredDetail(
                category=category,
                key=needed.key,
                label=needed.label,
                labels={"de": needed.german},
                pattern=needed.pattern,
                position=position,
            )
            for position, needed in enumerate(about.details, start=1)
        )
    return made
