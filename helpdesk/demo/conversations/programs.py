"""About what customers' programs ask of the API, and what it tells them."""

from __future__ import annotations

from collections.abc import Mapping

SAID: Mapping[int, Mapping[str, str]] = {
    1042: {
        "customer": """\
Hello,

since $began every call to POST /v2/invoices fails with 502 Bad Gateway. It hits all our EU
tenants, the US ones are fine. Our finance team closes the month tonight, so this cannot wait.

One of them:

    $stamp POST /v2/invoices
    < HTTP/1.1 502 Bad Gateway
    < via: 1.1 edge-fra-2
    {"error":"upstream_unavailable","invoice":"inv_88120"}

Customer ID NOR-4471. A trace is attached.

Dana Reyes
Norvik Logistics""",
        "note": """\
Looks like the gateway: upstream_unavailable from edge-fra-2 only. Ben has the Norvik account
and is on the phone with them about another thing; I set it to P1 so that nobody overlooks it.""",
    },
    1040: {
        "customer": """\
Good day,

we rotated our webhook signing key as your guide describes. Since then our endpoint
https://hooks.casalume.example/brightquay answers 401 to all your calls, because the
signature does not match any more.

For example evt_5f02c9d1: our log says

    expected  t=$epoch,v1=9c1be07a...
    computed  t=$epoch,v1=41d7aa20...

Casa Lume, CLR-2210. We lose the shipping updates while this lasts.

Inés Duarte""",
        "note": """\
Two active signing keys on the account, one from before the rotation. I need to know which of
the two they put into their verifier, so I asked for the key ID.""",
    },
    1035: {
        "customer": """\
Dear support,

since Friday we get "429 Too Many Requests" in our nightly stock sync. Our volume did not change.
We make about 20 requests per second, the plan says 50.

    $stamp GET /v2/stock?page=318
    < HTTP/2 429 Too Many Requests
    < retry-after: 1
    < x-request-id: req_0b77e41c

Customer ID: AOB-5120

Best regards,
Kenji Mori, Aoba Foods""",
        "reply": """\
Dear Kenji,

thank you for the trace. In our records your limit is 50 requests per second, so 20 should pass.
I am asking the team that owns the limiter.""",
        "tried": "Plan and limit are right in the console; the traffic graph shows 18–22 requests/s.",
        "ask": "Why does the limiter answer 429 at 20 requests/s?",
        "override": "It is night in Tokyo; the request ID should be enough to find the bucket.",
        "declined": """\
The limiter counts by API key, and they have eleven. Without the key ID I would be guessing.
Please ask for it and offer this again; I keep the request ID.""",
    },
    1033: {
        "customer": """\
Guten Tag,

die Callbacks zu unseren Zahlungen kommen seit heute mit bis zu 40 Minuten Verspätung an. Ein
Beispiel ist evt_71ab90c4 an https://pay.steinbach.example/callback

Kundennummer STM-3302, der Signaturschlüssel ist whk_3c55d1.

Woran liegt das?

Jürgen Adler""",
        "reply": """\
Guten Tag Herr Adler,

danke für das Beispiel. Ich sehe es auch: Wir haben evt_71ab90c4 sofort übergeben, liegen
geblieben ist es bei dem Dienstleister, über den wir in Ihre Region zustellen. Ich habe dort einen
Vorgang eröffnet und melde mich, sobald er antwortet. Es gehen keine Callbacks verloren.

Viele Grüße""",
        "note": """\
Vendor ticket NTW-20931 opened: queue depth in eu-central grows during the day. They answer within
one working day. On hold until then.""",
        "follow_up": "Ask the vendor how far NTW-20931 is",
    },
    1031: {
        "customer": """\
Hello,

for the third time this month our invoice run stopped in the night with 504 Gateway Timeout, last
at req_5c1d20e4, with key_nvk2prod. Each time you repaired it, and each time it came back.

Our CTO, Henrik Lund, wants a call this week with somebody who can tell him what changes on your
side and who stands for it. NOR-4471.

Ola Berg
Norvik Logistics""",
        "reply": """\
Hello Ola,

three times is too often, and I understand that he wants to hear it from somebody who decides. I am
asking our integrations team for the common cause, and our head of support for the call. You hear
today which times we propose.""",
        "tried": """\
All three stops: the nightly run opens 400 connections within a second, the gateway queues them and
gives up after 30 s. The limit was raised twice, each time until the next deployment.""",
        "ask": "Make the raised limit survive a deployment, and tell us by when.",
        "reason": "Third stop this month; their CTO wants to hear who stands for it.",
        "decide": "Call Henrik Lund this week, and decide whether the limit is fixed out of turn.",
        "first_step": "writing the limit into the deployment's own settings",
        "word": """\
Hello Ola,

Helen Brandt, who leads support here, would like to call Henrik herself, together with Priya Nair of
integrations, who is changing how the limit is kept. Could he do Thursday 10:00 or 15:30 (Oslo)?
We send what we found beforehand.""",
        "note": """\
Helen takes the call. Priya has the permanent limit in review, so there is something to show.""",
    },
    1030: {
        "customer": """\
Hello,

the sandbox rejects our client certificate since we renewed it. Serial
4f:0a:91:c2:7e:33:d8, endpoint https://sandbox.brightquay.example/v2

    curl: (56) OpenSSL SSL_read: tlsv1 alert unknown ca

Production with the same certificate is fine. VER-6045.

Lia Prado, Verdejo""",
        "reply": """\
Hi Lia,

thank you, that is all I need. The sandbox has a trust store of its own, and your new certificate
comes from a newer intermediate. I am asking for it to be added.""",
        "tried": "The chain verifies with openssl; the sandbox answers 'unknown ca', production accepts.",
        "ask": "Please add the intermediate 'Serasa CA v6' to the sandbox's trust store.",
        "on": "The trust store is part of the gateway image, and that is Platform's.",
        "back_on": """\
The image only mounts what the sandbox tool writes, and the tool is yours. The v6 intermediate is
missing in its list; here is the diff.""",
        "first_step": "adding the new intermediate to the sandbox's list",
        "update": """\
Two of our teams have looked at it, and it is now clear which list lacks your new
intermediate certificate.""",
        "update2": """\
The intermediate certificate is in the list; the sandbox picks it up with its next nightly build,
and then we call it once with your serial to be sure.""",
    },
    1021: {
        "customer": """\
Dear support,

before our audit we want to rotate keys for the production account without downtime. Is it possible
to have two active keys at once, and for how long? AOB-5120

Kenji Mori""",
        "reply": """\
Dear Kenji,

yes: create the second key under Settings, API keys, switch your services over, then revoke the
old one. Both work side by side for up to 30 days. The audit log shows which key made a call, so you
can see when the old one is quiet.""",
        "outcome": "Two keys can be active for 30 days; the steps are in our letter",
        "cause": "a question about key rotation",
        "thanks": "Thank you very much, that is exactly what we needed.\n\nKenji",
    },
}
