"""About signing in."""

from __future__ import annotations

from collections.abc import Mapping

SAID: Mapping[int, Mapping[str, str]] = {
    1041: {
        "customer": """\
Hi there,

I want to invite a colleague to our dashboard but the mail never arrives. I tried three times,
she looked in spam too. The page always says "Invitation sent".

It is for rafaela.lima@verdejo.example. Can you see what happens on your side?

Thanks!
Lia""",
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
}
