"""A procedure is written on a page, read by somebody else, published, and looked at again in time."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from notifications.models import MailState, Notification, OutgoingEmail
from staff.models import Role, User
from tests.house import START, House, after
from tests.pages.acting import as_
from tests.training.test_learning import attempt, published, required
from training import drafting, reviewdates, versions
from training.course import ESCALATION
from training.frontmatter import with_front
from training.models import Procedure, ProcedureVersion, VersionState

pytestmark = pytest.mark.django_db
PAGE = f"/training/{ESCALATION}/"


@pytest.fixture
def house() -> House:
    return House()


def form_of(answer: Any) -> dict[str, str]:
    """What a browser sends of the editor that it was shown: lines end with two characters."""
    editor = answer.context["editor"]
    texts = {f"text-{pane.language}": pane.text.replace("\n", "\r\n") for pane in editor.panes}
    return {"seen": answer.context["seen"], **texts}


def test_a_version_is_written_reviewed_by_somebody_else_and_published(house: House) -> None:
    first = published()
    required(role=Role.AGENT)
    grace, marco = as_(house.grace), as_(house.marco)
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


def test_what_is_published_is_what_its_reviewer_read(house: House) -> None:
    first = published()
    texts = {
        language: with_front(text, {"change": "Refunds."}) for language, text in first.texts.items()
    }
    second = versions.write(texts=texts, by=house.grace, now=after(days=1))
    assert second is not None
    versions.submit(version_id=second.pk, by=house.grace, now=after(days=1))
    marco = as_(house.marco)
    read = re.search(
        r'name="read" value="([^"]+)"', marco.get(f"{PAGE}versions/2/").content.decode()
    )
    assert read is not None
    # Its author gives it back, writes something else, and submits that.
    versions.give_back(version_id=second.pk, note="", by=house.grace, now=after(days=2))
    other = {language: with_front(text, {"change": "All."}) for language, text in texts.items()}
    versions.write(texts=other, by=house.grace, now=after(days=2, minutes=1))
    versions.submit(version_id=second.pk, by=house.grace, now=after(days=2, minutes=2))
    refused = marco.post(f"{PAGE}versions/2/publish/", {"read": read[1]})
    assert refused.status_code == 422
    assert "was changed meanwhile" in refused.content.decode()
    second.refresh_from_db()
    assert second.state == VersionState.REVIEW
    letters = OutgoingEmail.objects.filter(
        kind="staff_procedure_review", to_address=house.marco.email
    ).order_by("pk")
    assert [each.state for each in letters] == [MailState.WITHDRAWN, MailState.QUEUED]


def test_what_is_typed_is_kept_with_every_fault_at_its_line_and_nothing_is_saved(
    house: House,
) -> None:
    published()
    grace = as_(house.grace)
    form = form_of(grace.get(f"{PAGE}versions/new/"))
    typed = form["text-en"].replace("pass_mark: 80", "pass_mark: 800").replace("{#gather}", "")
    answer = grace.post(f"{PAGE}versions/new/", {**form, "text-en": typed})
    said = answer.content.decode()
    assert answer.status_code == 422
    assert "line 10: pass_mark: must be a whole number" in said
    assert "<code>pass_mark: 800</code>" in said
    assert answer.context["editor"].pane("en").text == typed.replace("\r\n", "\n")
    # The preview says the same of this text, alone, and shows one that can be read.
    htmx = {"HX-Request": "true"}
    preview = {**form, "text-en": typed, "do": "preview-en"}
    answer = grace.post(f"{PAGE}versions/new/", preview, headers=htmx)
    assert (answer.status_code, "<html" in answer.content.decode()) == (422, False)
    preview = {**form, "do": "preview-de"}
    answer = grace.post(f"{PAGE}versions/new/", preview, headers=htmx)
    assert "Häufige" in answer.content.decode() or "<h3" in answer.content.decode()
    whole = grace.post(f"{PAGE}versions/new/", preview).content.decode()
    assert "This is how it will be read" in whole
    assert "<html" in whole
    # Another procedure is not written here.
    other = {
        name: text.replace("procedure: ticket-escalation", "procedure: refunds")
        for name, text in form.items()
        if name != "seen"
    }
    answer = grace.post(f"{PAGE}versions/new/", {**other, "seen": form["seen"]})
    assert answer.status_code == 422
    assert ProcedureVersion.objects.count() == 1


def test_two_who_write_at_once_see_both_texts_and_nobodys_is_lost(house: House) -> None:
    published()
    grace, marco = as_(house.grace), as_(house.marco)
    hers, his = (form_of(each.get(f"{PAGE}versions/new/")) for each in (grace, marco))
    hers["text-en"] = hers["text-en"].replace("Read the whole request", "Grace reads it")
    his["text-en"] = his["text-en"].replace("Read the whole request", "Marco reads it")
    assert grace.post(f"{PAGE}versions/new/", hers).status_code == 302
    # Pressing twice is nothing new.
    assert grace.post(f"{PAGE}versions/new/", hers).status_code == 302
    answer = marco.post(f"{PAGE}versions/new/", his)
    said = answer.content.decode()
    assert answer.status_code == 409
    assert "Marco reads it" in said
    assert "Grace reads it" in said
    assert "Grace reads it" in ProcedureVersion.objects.get(number=2).texts["en"]
    again = form_of(answer)
    assert marco.post(f"{PAGE}versions/new/", again).status_code == 302
    assert "Marco reads it" in ProcedureVersion.objects.get(number=2).texts["en"]
    # What was never seen is written over by nobody, whatever a form says.
    for seen in ("", "ticket-escalation 2 now", f"refunds 2 {START.isoformat()}"):
        assert grace.post(f"{PAGE}versions/2/edit/", {**hers, "seen": seen}).status_code == 409


def test_a_new_procedure_begins_with_a_text_that_can_be_read_and_is_its_authors(
    house: House,
) -> None:
    grace, marco = as_(house.grace), as_(house.marco)
    form = form_of(grace.get("/training/procedures/new/"))
    form["text-en"] = form["text-en"].replace("name-in-addresses", "refunds")
    added = grace.post("/training/procedures/new/", {**form, "do": "add", "language": "de"})
    assert "language: de" in added.context["editor"].pane("de").text
    assert not Procedure.objects.exists()
    files = [SimpleUploadedFile("de.md", form_of(added)["text-de"].encode())]
    sent = {**form, "files": files}
    assert grace.post("/training/procedures/new/", sent).status_code == 302
    assert marco.post("/training/procedures/new/", form).status_code == 422
    procedure = Procedure.objects.get()
    version = procedure.versions.get()
    assert (procedure.slug, procedure.owner) == ("refunds", house.grace)
    assert set(version.texts) == {"en", "de"}

    # It goes out as it came in: the uploaded file to the byte.
    page = "/training/refunds/versions/1/"
    alone = b"".join(grace.get(f"{page}files/?language=de"))
    assert alone == version.texts["de"].encode()
    archive = zipfile.ZipFile(io.BytesIO(b"".join(grace.get(f"{page}files/"))))
    assert {name: archive.read(name).decode() for name in archive.namelist()} == {
        f"refunds/{language}.md": text for language, text in version.texts.items()
    }

    # Its owner or a manager gives it to somebody else, who is no agent.
    owner = "/training/refunds/owner/"
    marco.post(owner, {"owner": house.marco.pk})
    grace.post(owner, {"owner": house.anna.pk})
    procedure.refresh_from_db()
    assert procedure.owner == house.grace
    as_(house.helen).post(owner, {"owner": house.marco.pk})
    procedure.refresh_from_db()
    assert procedure.owner == house.marco
    # Thrown away, nothing of it is left.
    assert marco.post(f"{page}discard/").headers["Location"] == "/training/procedures/"
    assert not Procedure.objects.exists()


def test_files_that_are_no_texts_are_refused_by_their_names(house: House) -> None:
    published()
    grace = as_(house.grace)
    form = form_of(grace.get(f"{PAGE}versions/new/"))
    for name, content in (("notes.txt", b"x"), ("fr.md", b"\xff"), ("en.md", b"x" * 1_700_000)):
        answer = grace.post(
            f"{PAGE}versions/new/", {**form, "files": [SimpleUploadedFile(name, content)]}
        )
        assert answer.status_code == 422
        assert name in answer.content.decode()
    assert ProcedureVersion.objects.count() == 1


def test_who_completed_an_older_version_is_led_to_what_changed_and_to_no_answer(
    house: House,
) -> None:
    first = published()
    required(role=Role.AGENT)
    attempt(house.anna, first, right=True, now=after(hours=1))
    texts = {
        language: with_front(text, {"change": "Refunds need two.", "changed": "[assess]"})
        .replace("Read the whole request", "Read all of the request")
        .replace("## Knowledge check", "## Knowledge check\n\n### Secret {#secret}\n\nWhat?\n\n"
            "- [x] The hidden answer\n- [ ] Another\n\nCovers: assess\n\nWhy: So.\n")
        for language, text in first.texts.items()
    }  # fmt: skip
    version = versions.write(texts=texts, by=None, now=after(days=1))
    assert version is not None
    versions.publish(version_id=version.pk, by=None, now=after(days=1))
    told = {
        reader: notification.variables["url"]
        for notification in Notification.objects.filter(
            kind="staff_training_due", variables__number="2"
        )
        for reader in notification.readers
    }
    assert told[house.anna.pk].endswith(f"{PAGE}changes/?since=1")
    assert told[house.ben.pk].endswith(PAGE)
    said = as_(house.anna).get(f"{PAGE}changes/?since=1").content.decode()
    assert "Refunds need two." in said
    assert "<del>" in said
    assert "hidden answer" not in said
    assert "What changed since" in as_(house.anna).get(PAGE).content.decode()
    for wrong in ("2", "9", "x"):
        assert as_(house.anna).get(f"{PAGE}changes/?since={wrong}").status_code == 404
    for page in ("versions/", "versions/1/", "versions/new/", "versions/1/files/"):
        assert as_(house.anna).get(f"{PAGE}{page}").status_code == 403


def test_the_owner_is_reminded_once_before_a_version_is_stale_and_once_when_it_is(
    house: House,
) -> None:
    version = published(review_by="2027-03-01")
    day = timedelta(days=(version.review_by - reviewdates.today(START)).days)
    stale = Notification.objects.filter(kind="staff_procedure_stale")

    def told(now: timedelta) -> list[set[int]]:
        for minutes in (0, 5):
            reviewdates.remind_of_stale(now=START + now + timedelta(minutes=minutes))
        return [set(each.readers) for each in stale.order_by("pk")]

    leads = set(
        User.objects.exclude(role=Role.AGENT).filter(is_active=True).values_list("pk", flat=True)
    )
    assert told(day - timedelta(days=15)) == []
    # Nobody owns what came with the installation: all who could look at it hear of it.
    assert told(day - timedelta(days=14)) == [leads]
    Procedure.objects.update(owner=house.grace)
    assert told(day) == [leads, {house.grace.pk}]
    assert told(day + timedelta(days=40)) == [leads, {house.grace.pk}]
    grace = as_(house.grace)
    assert "to be looked at again" not in grace.get("/training/procedures/").content.decode()
    published(now=START + day, review_by="2029-03-01")
    assert len(told(day + timedelta(days=41))) == 2


def test_the_tab_of_procedures_is_marked_on_every_page_of_their_authors(house: House) -> None:
    published()
    helen = as_(house.helen)
    pages = ("versions/", "versions/new/", "versions/1/", "questions/")
    for page in ("/training/procedures/", *(f"{PAGE}{page}" for page in pages)):
        content = helen.get(page).content.decode()
        tab = r'<a class="settings-tab"\s+href="([^"]*)"\s+aria-current="page"'
        marked = re.findall(tab, content)
        assert marked == ["/training/procedures/"], page


def test_the_lists_ask_the_database_the_same_however_much_there_is(
    house: House,
) -> None:
    published()
    helen = as_(house.helen)
    pages = ("/training/procedures/", f"{PAGE}versions/", f"{PAGE}versions/1/")
    counts = [_queries(helen, page) for page in pages]
    for number in range(2, 5):
        published(now=after(days=number))
    for name in ("refunds", "returns"):
        [(language, text)] = drafting.first_texts("en", today=START.date()).items()
        text = with_front(text, {"procedure": name})
        versions.write(texts={language: text}, by=house.grace, now=START)
    assert [_queries(helen, page) for page in pages] == counts


def _queries(client: Client, page: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(page).status_code == 200
    return len(queries)
