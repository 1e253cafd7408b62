"""What the tickets of the past year were about: a few topics a category, in their customers' words.

``$transaction`` and the like stand for details, which every ticket makes up for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import NamedTuple

Make = Callable[[Random], str]


class Topic(NamedTuple):
    """One thing that goes wrong: what the customer writes, and how it ends."""

    subject: str
    problem: str
    tried: str
    ask: str
    outcome: str
    cause: str


def _name(prefix: str, length: int = 6, of: str = "0123456789abcdef") -> Make:
    return lambda rng: prefix + "".join(rng.choices(of, k=length))


def _one_of(*values: str) -> Make:
    return lambda rng: rng.choice(values)


#: How a detail's value is made up, by its key; the customer's own number is known.
VALUES: Mapping[str, Make] = {
    "transaction": _name("req_", 8),
    "error": _one_of("502 Bad Gateway", "429 Too Many Requests", "504 Gateway Timeout"),
    "api_key_id": _name("key_", 8),
    "event_id": _name("evt_", 8),
    "endpoint": _one_of("https://hooks.shop.example/pay", "https://erp.example/in/brightquay"),
    "signing_key_id": _name("whk_", 6),
    "charge": _name("ch_", 6),
    "amount": lambda rng: f"EUR {rng.randint(9, 940)}.{rng.choice(('00', '50', '90'))}",
    "job": _name("exp_", 6, "0123456789"),
    "last_line": _one_of("ERROR chunk 88: lease lost", "WARN charset of column name assumed"),
    "identity_provider": _one_of("Entra ID", "Okta", "Keycloak", "Google Workspace"),
    "correlation_id": lambda rng: (
        f"{rng.getrandbits(32):08x}-{rng.getrandbits(16):04x}-4{rng.getrandbits(12):03x}"
        f"-a{rng.getrandbits(12):03x}-{rng.getrandbits(48):012x}"
    ),
    "affected_address": _one_of("till3@shop.example", "office@shop.example", "audit@shop.example"),
    "serial": lambda rng: ":".join(f"{rng.getrandbits(8):02x}" for _ in range(7)),
    "document": _name("doc_", 6),
    "locale": _one_of("ja-JP", "de-DE", "es-ES", "nb-NO", "pt-BR"),
}

TOPICS: Mapping[str, tuple[Topic, ...]] = {
    "api-integration": (
        Topic(
            "Calls to the invoice API fail since the update",
            "since this morning about one call in ten fails with $error, for instance $transaction.",
            "Repeated the call with the same body: it passes the second time.",
            "Find out which node refuses the first call.",
            "One node of the gateway had kept an old configuration and was taken out",
            "a node that missed a deployment",
        ),
        Topic(
            "Rate limit reached at a fraction of our volume",
            "our nightly sync stops with $error ($transaction), far below the limit of our plan.",
            "Plan and limit are right; the traffic stays below half of it.",
            "Why does the limiter count more than we see?",
            "The limit is counted per key now, as the plan says",
            "retries that were counted twice",
        ),
        Topic(
            "Which fields may we send on a refund?",
            "the documentation and the answer we get ($transaction, $error) do not agree.",
            "Compared the call with the reference; a field was renamed.",
            "Please confirm which name is right.",
            "The field is named reason_code; the reference says so now",
            "a reference that was one version behind",
        ),
        Topic(
            "Timeouts on large batches",
            "batches of more than 500 lines end in $error, smaller ones pass; see $transaction.",
            "Halved the batch: it passes in 11 s.",
            "Can the time limit be raised for this account?",
            "Batches of up to 2,000 lines are taken and answered later, by webhook",
            "a time limit made for single calls",
        ),
    ),
    "webhooks": (
        Topic(
            "Webhooks arrive twice",
            "we get some events twice, for instance $event_id at $endpoint.",
            "Their endpoint answers after 12 s; we repeat after 10 s.",
            "Can the limit be 20 s for them?",
            "The endpoint answers at once now, and each event comes once",
            "an endpoint that answered too late",
        ),
        Topic(
            "Signature does not match",
            "the signature of $event_id does not match what we compute with $signing_key_id.",
            "Computed it with both of their keys: the older one fits.",
            "Which key signs for this endpoint?",
            "The endpoint uses the new key, and the old one was revoked",
            "a key that was rotated on one side only",
        ),
        Topic(
            "Events stopped yesterday evening",
            "nothing arrives at $endpoint since yesterday; the last was $event_id.",
            "The endpoint was switched off after 50 failures.",
            "Please switch it on and replay what was missed.",
            "The endpoint is on again, and 214 events were replayed",
            "a certificate of theirs that had run out",
        ),
    ),
    "billing-and-charges": (
        Topic(
            "Refund does not arrive",
            "our customer waits for the refund of $charge, $amount, for ten days.",
            "The refund left us on the same day; the bank has not booked it.",
            "Can we ask the bank where it is?",
            "The bank booked the refund; the reference was sent to the customer",
            "a bank that books refunds weekly",
        ),
        Topic(
            "Charged twice for one order",
            "$charge over $amount was charged twice within a minute.",
            "Two calls without an idempotency key.",
            "Please void the second charge.",
            "The second charge was voided before it settled",
            "a double click, and a call without an idempotency key",
        ),
        Topic(
            "Tax on an invoice looks wrong",
            "the tax on $charge ($amount) is not what our accountant expects.",
            "Recomputed: the rate follows the address of delivery.",
            "Is the rate right for this place?",
            "The rate is right for the address of delivery; the page explains it",
            "an address of delivery in another country",
        ),
        Topic(
            "Payout is smaller than the sum of charges",
            "yesterday's payout lacks $amount; the largest charge was $charge.",
            "Three refunds and one dispute explain the difference to the cent.",
            "Please check that no charge is missing.",
            "Nothing is missing: refunds and a dispute were set off",
            "a summary that does not list what is set off",
        ),
    ),
    "exports": (
        Topic(
            "Export does not finish",
            "export $job stands still since the night. Its log ends with: $last_line",
            "Started it again: stops at the same place.",
            "What holds the lock on this block?",
            "The export was run again and is complete",
            "a lock that an aborted job had left",
        ),
        Topic(
            "Columns are shifted in the CSV",
            "in $job the columns shift after a product name with a semicolon. $last_line",
            "The field is not quoted; the old exporter did it.",
            "Please quote fields with separators.",
            "Fields with separators are quoted; the file was made anew",
            "a rewrite of the exporter that lost the quotes",
        ),
    ),
    "sign-in-and-sso": (
        Topic(
            "Nobody of our new office can sign in",
            "colleagues in the new office get the sign-in page again and again ($correlation_id).",
            "Their group is not assigned to the application in their directory.",
            "Is the claim we get really empty?",
            "The group was assigned, and they sign in",
            "a group without the application in their directory",
        ),
        Topic(
            "SAML certificate was renewed",
            "we renewed our certificate in $identity_provider and now sign-in fails.",
            "The metadata still holds the old certificate.",
            "Please load the metadata anew.",
            "The new certificate is loaded; sign-in works",
            "metadata that is read once a day",
        ),
    ),
    "account-and-access": (
        Topic(
            "Cannot reset a password",
            "the mail to reset the password of $affected_address never arrives.",
            "The address had bounced in spring and was blocked.",
            "May the block be lifted?",
            "The block on the address is lifted and the mail arrived",
            "an address that had bounced once",
        ),
        Topic(
            "A colleague has left, who takes the account over?",
            "$affected_address belongs to a colleague who has left; we need her rights.",
            "The account has two more administrators.",
            "May we move the ownership?",
            "The ownership was moved after the second administrator agreed",
            "an owner who had left",
        ),
        Topic(
            "Invitation has expired",
            "the invitation for $affected_address says that it has expired.",
            "It was sent three weeks ago; they last two.",
            "",
            "A new invitation was sent and taken",
            "an invitation older than two weeks",
        ),
    ),
    "certificates": (
        Topic(
            "Sandbox refuses our client certificate",
            "the sandbox refuses our certificate $serial at $endpoint.",
            "The chain is right; the sandbox lacks the intermediate.",
            "Please add the intermediate.",
            "The intermediate is in the sandbox's trust store",
            "a trust store that was behind production's",
        ),
    ),
    "data-and-compliance": (
        Topic(
            "Deletion of a customer's data",
            "one of our customers asks for deletion of their data. Which steps do we take?",
            "Sent the page on erasure and what we keep by law.",
            "Is the copy in the archive covered?",
            "The data were erased, and the confirmation was sent",
            "a request under the data protection law",
        ),
        Topic(
            "List of sub-processors",
            "for our audit we need the current list of your sub-processors.",
            "Sent the public list.",
            "",
            "The list as of this quarter was sent",
            "a yearly audit",
        ),
    ),
    "documents-and-language": (
        Topic(
            "Receipts come in English",
            "receipt $document came in English; our shop is set to $locale.",
            "The setting is right; the template has no translation.",
            "When does the translation come?",
            "The translation is in the template; new receipts are right",
            "a template without that language",
        ),
        Topic(
            "Logo is missing on invoices",
            "invoice $document lacks our logo since we uploaded the new one. We use $locale.",
            "The file is larger than the limit.",
            "",
            "The logo was made smaller and shows on all invoices",
            "a picture above the size limit",
        ),
    ),
}

REPLIES = (
    "thank you for telling us. I can see what you describe and am looking for the cause.",
    "thank you for the example, that helps. I have found the call in our logs and look into it.",
    "I have looked at it: it is on our side. You hear from me as soon as I know more.",
)
QUESTIONS = (
    "thank you. To find it on our side I need one more thing: when did it happen last, and where?",
    "thank you. Does it happen with every call, or only with some? One more example would help.",
)
ANSWERS = (
    "it happened again ten minutes ago, with the same message. Does this help?",
    "only with some, I could not find the pattern. The last one was today at noon.",
)
UPDATES = (
    "the cause is found, and a correction is being checked. Nothing is needed from you.",
    "our colleagues have reproduced it and work on it. We write again as soon as it is done.",
)
AGAIN = (
    "I am afraid it is back: it worked for two days, and since this morning it fails again.",
    "it is better, but not gone. We still see it now and then.",
)
THANKS = "Thank you, all is well now."
LEARNT = (
    "The answer stands in the help centre; a search would have found it.",
    "The required details were there, but nobody had read the log line.",
    "The setting can be changed at Tier 1; it is in the runbook now.",
)

#: People at customers who wrote during the year: first those of the desk before this one.
FORMER: Mapping[str, tuple[str, ...]] = {
    "casalume": ("Pablo Rey", "Lucía Sanz"),
    "pinecrest": ("Tom Becker", "Grace Hall", "Noah Pratt"),
    "steinbach": ("Uwe Lang", "Heike Roth"),
    "aoba": ("Yuki Sato", "Aya Endo"),
    "verdejo": ("Caio Melo", "Bia Nunes"),
}
PRESENT: Mapping[str, tuple[str, ...]] = {
    "norvik": ("Jonas Lie", "Kari Dahl", "Per Aas"),
    "casalume": ("Marta Gil", "Iker Sola"),
    "pinecrest": ("Ruth Cole", "Sean Doyle"),
    "steinbach": ("Petra Voss", "Karl Ebner"),
    "aoba": ("Ren Kato", "Mio Hara"),
    "verdejo": ("Rafaela Lima", "Davi Rocha"),
}
