"""Going in and out of the customer's doors, as people with a browser and a mailbox do."""

from __future__ import annotations

import re
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from notifications import delivery
from notifications.models import OutgoingEmail
from tests.pages.desk import Markup, html
from tickets import portal
from tickets.models import Contact

#: What a form's second copy of a test differs by, where it is to be another form.
NEW = {
    "category": "api",
    "name": "Dana Reyes",
    "email": "dana@norvik.example",
    "subject": "POST /v2/invoices returns 502",
    "text": "Every call fails since 09:10.",
}


def post(client: Client, path: str, **sent: Any) -> Any:
    return client.post(path, sent)


def fill_in(client: Client, **said: Any) -> Any:
    """Send the form of ``/new/``; what is not named is as Dana would fill it in."""
    return client.post("/new/", {**NEW, **said})


def deliver() -> None:
    """Let the mail worker do its round; what it sends is kept as captured."""
    delivery.send_due(clock=timezone.now, capture=True)


def letters_to(address: str) -> list[OutgoingEmail]:
    """What reached somebody, oldest first."""
    return list(
        OutgoingEmail.objects.filter(to_address__iexact=address, sent_at__isnull=False).order_by(
            "pk"
        )
    )


def link_in(text: str, start: str = "") -> str:
    """The path of the link in a letter, such as ``/portal/in/…/``."""
    found = re.search(rf"https?://[^/\s]+({re.escape(start) or '/'}\S*/)", text)
    assert found, text
    return found[1]


def signed_in(contact: Contact) -> Client:
    """A browser in which a contact came in by a link."""
    client = Client()
    path = link_in(portal.link_for(contact=contact, now=timezone.now()))
    assert client.post(path).status_code == 302
    return client


def upload(name: str, data: bytes = b"log") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type="text/html")


def ids(page: Any) -> list[str]:
    return [carried["id"] for _tag, carried in Markup(html(page)).elements if "id" in carried]
