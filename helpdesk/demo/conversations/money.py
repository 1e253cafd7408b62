"""About charges, refunds, invoices and payouts."""

from __future__ import annotations

from collections.abc import Mapping

SAID: Mapping[int, Mapping[str, str]] = {
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
}
