"""What mails say, behind ``/admin/``: versions of texts."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from notifications.models import MailTemplate
from tests.admin.rows import of
from tests.pages.desk import Desk, words


def test_another_text_is_a_new_version_and_leaves_the_old(sam: Client, desk: Desk) -> None:
    old = MailTemplate.objects.get(key="received", language="de")

    page = sam.post(
        of(old),
        {"subject": "Angekommen: {ref}", "text": "Guten Tag {name},\r\n\r\nes ist da."},
        follow=True,
    )

    new = MailTemplate.objects.get(key="received", language="de", version=2)
    assert (new.subject, new.text) == ("Angekommen: {ref}", "Guten Tag {name},\n\nes ist da.")
    assert (new.created_by, new.shipped) == (desk.sam, False)
    assert MailTemplate.objects.get(pk=old.pk).subject == old.subject
    assert MailTemplate.objects.get(pk=old.pk).version == 1
    assert "Angekommen: HD-1042" in words(page)
    assert "Guten Tag Dana," in words(page)


@pytest.mark.parametrize(
    ("field", "text", "why"),
    [
        ("subject", "About {secret}", "Not a variable of this mail: secret."),
        ("text", "Dear {nam}, {name}", "Not a variable of this mail: nam."),
        ("text", "Dear {name}, {{ settings }}", "Not a variable of this mail"),
        ("text", "   ", "This field is required."),
    ],
)
def test_a_text_that_names_what_is_not_known_is_refused_at_its_field(
    sam: Client, desk: Desk, field: str, text: str, why: str
) -> None:
    old = MailTemplate.objects.get(key="received", language="en")
    form = {"subject": old.subject, "text": old.text, field: text}

    page = sam.post(of(old), form)

    assert page.status_code == 200
    errors = page.context["adminform"].form.errors
    assert why in errors[field][0]
    assert list(errors) == [field]
    assert MailTemplate.objects.filter(key="received", language="en").count() == 1


def test_only_the_text_in_force_is_changed(sam: Client, desk: Desk) -> None:
    old = MailTemplate.objects.get(key="received", language="en")
    sam.post(of(old), {"subject": "First", "text": old.text})

    assert sam.get(of(old)).status_code == 200
    assert sam.post(of(old), {"subject": "Second", "text": old.text}).status_code == 403

    texts = MailTemplate.objects.filter(key="received", language="en")
    assert [text.subject for text in texts] == ["First", old.subject]
    listed = words(sam.get(reverse("admin:notifications_mailtemplate_changelist")))
    assert "First" in listed
    assert old.subject not in listed
