"""A procedure is written on a page, read by somebody else, published, and looked at again in time."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from notifications.models import Notification
from staff.models import Role, User
from tests.house import House
from tests.training.test_learning import published, required
from training.course import ESCALATION
from training.fronttext import with_front
from training.models import ProcedureVersion, VersionState

pytestmark = pytest.mark.django_db
PAGE = f"/training/{ESCALATION}/"


@pytest.fixture
def house() -> House:
    return House()


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def form_of(answer: Any) -> dict[str, str]:
    """What a browser sends of the editor that it was shown: lines end with two characters."""
    editor = answer.context["editor"]
    texts = {f"text-{pane.language}": pane.text.replace("\n", "\r\n") for pane in editor.panes}
    return {"seen": answer.context["seen"], **texts}


def test_a_version_is_written_reviewed_by_somebody_else_and_published(house: House) -> None:
    first = published()
    required(role=Role.AGENT)
    grace, marco = signed_in(house.grace), signed_in(house.marco)
    begun = grace.get(f"{PAGE}versions/new/")
    form = form_of(begun)
    assert "change: …" in form["text-en"]
    assert not ProcedureVersion.objects.filter(number=2).exists()

    form = {
        name: text.replace("change: …", "change: Refunds need two.").replace(
            "Read the whole request", "Read all of the request"
        )
        for name, text in form.items()
    }
    answer = grace.post(f"{PAGE}versions/new/", form, follow=True)
    second = ProcedureVersion.objects.get(number=2)
    assert answer.redirect_chain[-1][0] == f"{PAGE}versions/2/"
    front = second.course("de").front
    days = {"effective": f"{front.effective}", "review_by": f"{front.review_by}"}
    assert second.texts["de"] == with_front(
        first.texts["de"], {"change": "Refunds need two.", **days}
    )
    said = answer.content.decode()
    assert "changed: [assess]" in said
    assert "<del>" in said
    assert "<ins>" in said

    assert grace.post(f"{PAGE}versions/2/submit/").status_code == 302
    told = Notification.objects.get(kind="staff_procedure_review")
    assert told.variables["url"].endswith(f"{PAGE}versions/2/")
    assert grace.get(f"{PAGE}versions/2/edit/").status_code == 404
    assert "four eyes" in grace.get(f"{PAGE}versions/2/").content.decode()
    refused = grace.post(f"{PAGE}versions/2/publish/")
    assert refused.status_code == 422
    assert "Somebody else reads it" in refused.content.decode()
    assert marco.post(f"{PAGE}versions/2/give-back/").status_code == 422
    marco.post(f"{PAGE}versions/2/give-back/", {"note": "Which refunds?"})
    assert "Which refunds?" in grace.get(f"{PAGE}versions/2/").content.decode()
    grace.post(f"{PAGE}versions/2/submit/")
    marco.post(f"{PAGE}versions/2/publish/")
    second.refresh_from_db()
    assert (second.state, second.published_by) == (VersionState.PUBLISHED, house.marco)
    assert second.enrollments.filter(user=house.anna).exists()

    # What is published has no editor and no act any more.
    assert marco.get(f"{PAGE}versions/2/edit/").status_code == 404
    for act in ("submit", "give-back", "publish", "discard"):
        assert marco.post(f"{PAGE}versions/2/{act}/", {"note": "No."}).status_code == 422
