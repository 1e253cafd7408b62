"""What was said on the demo's tickets, by ticket number and cue.

``$name`` stands for a time of day or a timestamp that the story fills in, so that what is
written agrees with when it was written.
"""

from __future__ import annotations

from collections.abc import Mapping

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
    1041: {
        "customer": """\
Hi there,

I want to invite a colleague to our dashboard but the mail never arrives. I tried three times,
she looked in spam too. The page always says "Invitation sent".

It is for rafaela.lima@verdejo.example. Can you see what happens on your side?

Thanks!
Lia""",
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
    1039: {
        "customer": """\
Guten Tag,

unser nächtlicher Export bleibt bei 40 % stehen und wird nicht fertig. Im Protokoll bewegt sich
seit Stunden nichts mehr. Wir brauchen die Datei für die Abrechnung.

Kundennummer STM-3302.

Mit freundlichen Grüßen
Jürgen Adler""",
        "reply": """\
Guten Tag Herr Adler,

danke für Ihre Nachricht. Damit ich den Auftrag auf unserer Seite finde: Wie lautet die Nummer
des Exportauftrags (exp_…), und was steht in der letzten Zeile des Protokolls?

Viele Grüße""",
        "details": """\
Gern. Es ist der Auftrag exp_770412, und das Protokoll endet so:

    $stamp INFO  chunk 402 of 1004 written
    $stamp2 ERROR chunk 403: lease lost, retry 12 of 12

Danach kommt nichts mehr. Hilft Ihnen das?

J. Adler""",
        "found": """\
Guten Tag Herr Adler,

das hilft sehr. Ich sehe den Auftrag: Er verliert beim Block 403 seine Sperre und gibt dann auf.
Ich stelle alles zusammen und hole die Kollegen dazu, denen der Exportdienst gehört. Einen neuen
Auftrag brauchen Sie nicht zu starten.

Viele Grüße""",
        "note": """\
Reproduced: exp_770412 and two of its neighbours die at the same chunk, "lease lost". A restart
from the console does not help. Details are complete; this is ready to go to Tier 2.""",
    },
    1038: {
        "customer": """\
Hello support,

about 40 people in our radiology department cannot sign in. They choose "Sign in with SSO",
authenticate, and land on the sign-in page again, round and round. All other departments are
fine. Identity provider is Entra ID; we changed a group there yesterday evening.

Pinecrest Health, PCH-1187

Maya Ortiz""",
        "reply": """\
Hello Maya,

thank you, that narrows it down. When one of them gets the sign-in page again, there is a small
correlation ID at its foot. Could you send me one?""",
        "details": """\
Here you go: 7c9e6679-7425-40de-944b-e07fc1f90ae7, from a nurse who tried a minute ago.
She has patients waiting, so the sooner the better.""",
        "found": """\
Thank you, Maya. I found that sign-in: the group claim is larger than our session cookie can
hold, so the session is thrown away. Until it is solved, those people can sign in with the mailed
code ("Other ways to sign in"). I am taking this to the team that owns sign-in.""",
        "tried": """\
Cleared the sessions of two users; asked them for a private window; compared the SAML responses:
214 group claims for radiology, 31 for the others. The cookie is cut at 4 kB.""",
        "ask": "Can large group claims be kept outside the cookie, or filtered for this tenant?",
    },
    1037: {
        "customer": """\
Hello,

14 of our customers were charged twice for yesterday's orders. The orders exist once, the
charges twice, a few seconds apart. One pair is ch_40a1d7 and ch_40a1d9, EUR 129.00 each.

Customers are calling us. CLR-2210.

Inés Duarte, Casa Lume""",
        "reply": """\
Hello Inés,

I am sorry for the trouble. I can see the pair you name, and 13 more like it. No money has been
paid out for the second ones, so nothing is lost. I am looking for the cause and bring in our
integrations team for the ledger.""",
        "tried": """\
All 14 pairs come from one idempotency key that was sent twice within 3 s by their plugin 4.2.1.
The second call should have got the first answer; it got a new charge.""",
        "ask": "Void the 14 second charges, and find out why the idempotency key did not hold.",
        "first_step": "voiding the 14 second charges in the ledger",
        "note": "Told Inés on the phone that nothing has been settled yet. She was relieved.",
    },
    1036: {
        "customer": """\
Hello,

our auditor asks for a proof that our payment data, backups included, has stayed in the EU since
1 January. A signed statement or an extract from your storage audit log will do. Customer ID
NOR-4471. The auditor closes the file on Friday.

Signe Moe
Norvik Logistics""",
        "reply": """\
Hello Signe,

thank you. Your account is pinned to eu-central, and that has not changed since it was opened. For
the backups I need the extract from the storage audit log, which another team can make. I am asking
them for it.""",
        "tried": "Account is pinned to eu-central since 2023; the console shows nothing on backups.",
        "ask": "Please extract the backups' regions since 1 January for NOR-4471, signed.",
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
    1034: {
        "customer": """\
Hello,

your invoices for our book orders show 21 % VAT. In Spain books have 4 %. See inv_61f0e2,
EUR 384.00: our customer refuses to pay the difference, and she is right.

Casa Lume, CLR-2210

Inés Duarte""",
        "reply": """\
Hello Inés,

you are right, 4 % applies to books. I see that inv_61f0e2 was computed with the standard rate.
I am asking the team that owns the tax engine why.""",
        "tried": "The products carry the tax code txcd_books. Recomputing inv_61f0e2 gives 21 % again.",
        "ask": "Why does the engine ignore the reduced rate for this tenant?",
        "first_step": "recomputing inv_61f0e2 with the tax log switched on",
        "sent_back": """\
The engine does what the account says: their tax profile "ES retail" has the reduced rates
switched off, and that is a setting you can change in the console. Switch them on and recompute.""",
        "word": """\
Hello Inés,

we found the place: your tax profile "ES retail" has the reduced rates switched off. Once they are
on, new invoices for books get 4 %, and I can recompute inv_61f0e2 at once. May I switch them on, or
was it done on purpose?""",
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
    1032: {
        "customer": """\
Hello,

refunds fail for all our clinics since this morning: "insufficient balance", although the balance
is positive. For example ch_77c0d2, USD 240.00. Patients are waiting for their money.

PCH-1187

Maya Ortiz
Pinecrest Health""",
        "reply": """\
Hello Maya,

I see eleven refunds that were refused with that message, and a positive balance. That should not
be. I am getting the people who know the ledger; you will hear from us when to expect an answer.""",
        "tried": "Retried ch_77c0d2: same. Balance USD 18,204.11, reserve 0. Eleven refunds affected.",
        "ask": "Why does the ledger see no balance, and can the eleven be released?",
        "first_step": "comparing the ledger's view of the balance with the bank's",
        "update": """\
The ledger counts a payout twice that was cancelled last night, so that the balance looks
empty; we are correcting it and then release the eleven refunds.""",
        "chased": """\
Any news? I promised the clinics an answer for today, and I have two upset patients on the line.""",
        "update2": """\
The correction is written and is being checked by a second person; the refunds
are released right after it.""",
        "note": """\
The check found a second account with the same cancelled payout. Correcting both at once is safer
but will not be done by the time we told Maya. Somebody should tell her.""",
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
    1024: {
        "customer": """\
Dear support,

the PDF receipts for our shop arrive in English since the last update. They should be Japanese
(ja-JP), as before. Example: doc_9ab3f1.

AOB-5120

Kenji Mori""",
        "reply": """\
Dear Kenji,

thank you. I can see doc_9ab3f1 in English although your shop is set to ja-JP. It is not a setting
you changed: the update brought a new renderer. I am asking its team.""",
        "tried": "Locale is right in the shop and in the API call; the old renderer still gives Japanese.",
        "ask": "Why does the new renderer fall back to English for ja-JP?",
        "first_step": "rendering doc_9ab3f1 with the font log switched on",
        "reason": "the Japanese fonts have to go into the renderer's next release, not only the setting",
        "done": "the cause is found and the fonts are tested with your receipt",
    },
    1023: {
        "customer": """\
Guten Tag,

in unserem Export exp_768120 sind alle Umlaute kaputt: aus „Müller“ wird „MÃ¼ller“. Das Protokoll
meldet

    WARN charset of column customer_name assumed latin-1

STM-3302. Unsere Buchhaltung kann die Datei so nicht einlesen.

Jürgen Adler""",
        "reply": """\
Guten Tag Herr Adler,

danke, das Beispiel ist eindeutig. Die Spalte customer_name wird beim Schreiben falsch umgewandelt.
Ich gebe das mit Ihrem Auftrag an die Kollegen weiter, denen der Exportdienst gehört.

Viele Grüße""",
        "tried": "Same file through the old exporter is right; the new one assumes latin-1 for one column.",
        "ask": "Please correct the column's charset and run exp_768120 again.",
        "first_step": "ein Testlauf Ihres Exports mit richtigem Zeichensatz",
        "headline": "Ursache gefunden",
        "update": """\
Der Exportdienst hielt eine Spalte für latin-1; die Korrektur ist geschrieben und läuft
gerade in der Prüfung.""",
        "next": "wir erstellen exp_768120 neu und schicken Ihnen die Datei",
        "outcome": "Column charset fixed in exporter 3.8.1; exp_768120 was run again and is right.",
        "resolved": "Der Export exp_768120 wurde neu erstellt und enthält alle Umlaute richtig",
        "cause": "eine Spalte, deren Zeichensatz der Exportdienst falsch annahm",
    },
    1022: {
        "customer": """\
Hi,

I don't get the login code by mail since I changed my address to lia.prado@verdejo.example. The old
address was on our old domain. I am locked out of the dashboard.

Lia""",
        "reply": """\
Hi Lia,

your new address was not confirmed yet, so codes still went to the old one. I have sent you a
confirmation link; after that the codes come to the new address. Could you try?""",
        "outcome": "The new address is confirmed and login codes are sent to it",
        "cause": "the address change had not been confirmed",
        "again": """\
Hi again,

it worked twice, and this morning the code did not come again. Same address. I have to send the
payroll file today, can you please look once more?

Lia""",
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
    1020: {
        "customer": """\
Hello,

the payout of ch_1c88f4 shows USD 310.00, but our account is in BRL. Is this a mistake?
VER-6045

Lia Prado""",
        "reply": """\
Hello Lia,

no money is missing: the list shows the currency of the charge, the payout itself arrives in BRL.
You find the converted amount when you open the payout. Does that answer it?""",
        "outcome": "The list shows the currency of the charge; the payout arrives in BRL",
        "cause": "a label in the list that can be misread",
        "tried": "The payout arrives in BRL, the list says USD; I do not see where it converts.",
        "ask": "Is the payout right, and only its label wrong?",
        "first_step": "looking up the payout in the ledger",
        "settled": "The payout is right; the list shows the charge's currency, as the help centre says.",
        "review": """\
The help centre's page "Currencies in lists and payouts" has the answer; a search would have found
it. I have added it to the macros of Frontline Americas.""",
    },
    1019: {
        "customer": """\
Hello,

it is this time of the year again: attached to our vendor portal is a security questionnaire with
140 questions, mostly the same as last year. Could you fill it in by the end of the month?
PCH-1187.

Maya Ortiz
Pinecrest Health""",
        "reply": """\
Hello Maya,

with pleasure. I have last year's answers here; our security team renews the parts on encryption and
sub-processors and gives me theirs next week. You get the whole in time for your deadline.""",
        "note": "Asked security for the two chapters; they deliver after their own audit.",
        "snoozed": "Security's chapters on encryption and sub-processors should be here",
    },
}
