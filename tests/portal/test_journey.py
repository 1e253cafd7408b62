"""From the web form to the answer: real processes, a real mail server, a browser without scripts."""

from __future__ import annotations

import pytest

from tests.house import House
from tests.portal.doors import link_in
from tests.processes import Installation, eventually, text_of
from tickets.models import Ticket

PASSWORD = "a long enough sentence"
MIA = "mia@elsewhere.example"


@pytest.mark.slow
def test_a_stranger_writes_confirms_signs_in_and_is_answered(installation: Installation) -> None:
    house = House()
    house.anna.set_password(PASSWORD)
    house.anna.save()
    installation.start("web", "engine", "mail", "beat")
    mailbox = installation.mailbox
    mia, anna = installation.visitor(), installation.visitor()

    # Her form is a ticket at once; her mailbox gets one letter, which repeats nothing.
    mia.get("/new/?category=api")
    mia.post(
        "/new/",
        category="api",
        name="Mia Stone",
        email=MIA,
        subject="Every call fails",
        text="502 since this morning.",
    )
    ticket = Ticket.objects.get()
    anna.sign_in(house.anna.email, PASSWORD)
    assert "address not verified" in anna.get(f"/tickets/{ticket.reference}/")
    asked = mailbox.waits_for(MIA, "confirm your address")
    assert "since this morning" not in text_of(asked)

    # The button lets the letters go that waited.
    path = link_in(text_of(asked), "/new/confirm/")
    mia.get(path)
    mia.post(path)
    mailbox.waits_for(MIA, "We have your request")

    # A link by mail, a button, her ticket; what she writes is with the agent.
    mia.get("/portal/sign-in/")
    mia.post("/portal/sign-in/", email=MIA)
    path = link_in(text_of(mailbox.waits_for(MIA, "link to sign in")), "/portal/in/")
    mia.get(path)
    assert "Every call fails" in mia.post(path)
    mia.get(f"/portal/{ticket.reference}/")
    mia.post(f"/portal/{ticket.reference}/answer/", text="It is only POST, by the way.")
    assert "It is only POST, by the way." in anna.get(f"/tickets/{ticket.reference}/")

    # And what the agent replies is in her mailbox and on her page.
    anna.post(f"/tickets/{ticket.reference}/reply/", text="The pool was empty.", status="open")
    eventually(
        lambda: [one for one in mailbox.to(MIA) if "The pool was empty." in text_of(one)],
        what="the reply",
    )
    assert "The pool was empty." in mia.get(f"/portal/{ticket.reference}/")
    assert [str(one["Subject"]) for one in mailbox.to(MIA)].count(str(asked["Subject"])) == 1
