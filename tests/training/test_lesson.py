"""The lesson: slides that go on where one left, or a video that plays from anywhere."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from staff.models import Role, User
from tests.house import House, after
from tests.pages.acting import as_
from tests.training.films import CAPTIONS, MP4, WEBM, draft, film
from tests.training.test_learning import attempt, published, required
from training import enrolling, versions
from training.captions import read_cues
from training.frontmatter import with_front
from training.models import LessonProgress, LessonVideo

pytestmark = pytest.mark.django_db
PAGE = "/training/ticket-escalation/lesson/"
STEPS = ("assess", "gather", "escalate", "notify", "follow-up", "close")


@pytest.fixture
def house(settings: Any, tmp_path: Path) -> House:
    settings.MEDIA_ROOT = tmp_path
    return House()


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(after(hours=1), tick=False) as traveller:
        yield traveller


def text(response: Any) -> str:
    return html.unescape(response.content.decode())


def title(response: Any) -> str:
    return text(response).split('id="slide-title"')[1].split(">", 1)[1].split("<")[0].strip()


def filmed(house: House, *, data: bytes = WEBM, language: str = "en") -> LessonVideo:
    """The video of a published version."""
    version = draft(published())
    made = film(version, house.marco, now=after(minutes=6), data=data, language=language)
    versions.publish(version_id=version.pk, by=None, now=after(minutes=7))
    return made


def turned(client: Client, seen: str, to: str, *, version: int = 1, page: str = PAGE) -> Any:
    return client.post(page, {"version": version, "seen": seen, "to": to}, follow=True)


# Slides


def test_slides_go_on_where_one_left_and_end_with_the_questions(house: House) -> None:
    published()
    client = as_(house.anna)
    assert "Slide 1 of 8" in text(client.get(PAGE))
    assert not LessonProgress.objects.exists(), "looking keeps nothing"
    assert title(turned(client, "_first", "assess")) == "Assess complexity and urgency"
    turned(client, "assess", "gather")
    assert title(as_(house.anna).get(PAGE)) == "Gather what is needed"
    for step, following in zip(STEPS[1:], [*STEPS[2:], "_last"], strict=True):
        assert LessonProgress.objects.get().finished_at is None
        said = turned(client, step, following)
    assert "You have seen all that is asked of you." in text(said)
    assert "/training/ticket-escalation/check/" in text(said)
    progress = LessonProgress.objects.get()
    assert (progress.seen, progress.finished_at) == (list(STEPS), after(hours=1))
    assert "Slide 1 of 8" in text(client.get(PAGE)), "who has finished begins anew"


def test_only_what_changed_is_shown_to_who_knows_the_version_before(house: House) -> None:
    first = published()
    required(role=Role.AGENT)
    attempt(house.anna, first, right=True, now=after(minutes=1))
    second = draft(first, changed="[gather, notify]")
    versions.publish(version_id=second.pk, by=None, now=after(minutes=7))
    enrolling.enrol_everywhere(now=after(minutes=8))
    client = as_(house.anna)
    said = text(client.get(PAGE))
    assert "Slide 1 of 4" in said
    assert "only what changed is shown" in said
    assert "Slide 1 of 8" in text(client.get(f"{PAGE}?all=1&step=_first"))
    assert "Slide 3 of 8" in text(
        turned(client, "assess", "gather", version=2, page=f"{PAGE}?all=1")
    )
    assert client.get(f"{PAGE}?step=assess").status_code == 404
    turned(client, "gather", "notify", version=2)
    assert LessonProgress.objects.get().finished_at is None
    turned(client, "notify", "_last", version=2)
    assert LessonProgress.objects.get().finished_at == after(hours=1)


def test_the_lesson_says_that_it_is_overdue(house: House) -> None:
    published()
    required(role=Role.AGENT, days=1)
    enrolling.enrol_everywhere(now=after(days=-2))
    assert "overdue" in text(as_(house.anna).get(PAGE))


def test_with_javascript_only_the_slide_is_exchanged_and_its_address_is_kept(house: House) -> None:
    published()
    client = as_(house.anna)
    part = client.get(f"{PAGE}?step=gather", headers={"HX-Request": "true"})
    assert "<html" not in text(part)
    assert part["HX-Push-Url"] == f"{PAGE}?step=gather"
    again = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert "<html" in text(client.get(f"{PAGE}?step=gather", headers=again))


def test_who_reads_an_older_version_when_a_newer_comes_begins_that(house: House) -> None:
    first = published()
    client = as_(house.anna)
    turned(client, "assess", "gather")
    newer = draft(first)
    versions.publish(version_id=newer.pk, by=None, now=after(minutes=7))
    assert "Slide 1 of 8" in text(turned(client, "gather", "escalate"))
    assert not LessonProgress.objects.filter(version=newer).exists()
    for sent in ({}, {"version": "2", "to": "nowhere"}, {"version": "x\0", "to": "gather"}):
        assert client.post(PAGE, sent).status_code == 302
    assert LessonProgress.objects.get().seen == ["assess"]


def test_all_slides_can_be_printed_at_once(house: House) -> None:
    published()
    said = text(as_(house.anna).get(f"{PAGE}?print=1"))
    assert said.count("slide-paper") == 8
    assert "First we assess." in said


def test_a_lesson_costs_a_fixed_number_of_queries(
    house: House, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    filmed(house)
    client = as_(house.anna)
    client.get(PAGE)
    for address, most in ((PAGE, 11), (f"{PAGE}?step=gather", 10)):
        with django_assert_num_queries(most):
            client.get(address)


# Video


def test_the_video_stands_for_the_slides_and_goes_on_where_one_left(house: House) -> None:
    made = filmed(house)
    client = as_(house.anna)
    said = text(client.get(PAGE))
    source = f"/training/ticket-escalation/video/{made.pk}/"
    assert f'src="{source}"' in said
    assert "<p>First we assess.</p>" in said, "what is said can be read, too"
    assert client.post(PAGE, {"version": 2, "second": "12.34"}).status_code == 204
    assert f'src="{source}#t=12.3"' in text(client.get(PAGE))
    assert LessonProgress.objects.get().finished_at is None
    client.post(PAGE, {"version": 2, "second": "64.1", "ended": "1"})
    assert LessonProgress.objects.get().finished_at == after(hours=1)
    assert f'src="{source}"' in text(client.get(PAGE))
    for wrong in ("", "x", "nan", "inf", "-1", "1e9"):
        assert client.post(PAGE, {"version": 2, "second": wrong}).status_code == 422
    assert "Slide 1 of 8" in text(client.get(f"{PAGE}?step=_first"))
    subtitles = client.get(f"{source}captions/")
    assert subtitles["Content-Type"] == "text/vtt; charset=utf-8"
    assert subtitles.content == CAPTIONS


def test_whose_language_has_no_video_gets_slides_and_may_choose_it(house: House) -> None:
    filmed(house)
    User.objects.filter(pk=house.anna.pk).update(language="de")
    client = as_(User.objects.get(pk=house.anna.pk))
    assert 'id="slide"' in text(client.get(PAGE))
    assert "<video" in text(client.get(f"{PAGE}?video=en"))
    assert client.get(f"{PAGE}?video=fr").status_code == 404
    assert client.get(f"{PAGE}?video=%00").status_code == 404


SIZE = len(MP4)


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        ("bytes=0-", 206, 0, SIZE - 1),
        ("bytes=0-0", 206, 0, 0),
        ("bytes=5-9", 206, 5, 9),
        ("Bytes=5-9", 206, 5, 9),
        ("bytes=-4", 206, SIZE - 4, SIZE - 1),
        (f"bytes=-{SIZE * 9}", 206, 0, SIZE - 1),
        (f"bytes={SIZE - 1}-{SIZE * 9}", 206, SIZE - 1, SIZE - 1),
        (f"bytes={SIZE}-", 416, 0, 0),
        ("bytes=-0", 416, 0, 0),
        # What is no range, or several, is answered with the whole.
        ("bytes=9-5", 200, 0, SIZE - 1),
        ("bytes=-", 200, 0, SIZE - 1),
        ("bytes=0-1,4-5", 200, 0, SIZE - 1),
        ("items=0-1", 200, 0, SIZE - 1),
        ("bytes=a-b", 200, 0, SIZE - 1),
        (f"bytes={'9' * 40}-", 200, 0, SIZE - 1),
    ],
)
def test_a_player_gets_the_part_it_asks_for(
    house: House, asked: str, status: int, first: int, last: int
) -> None:
    made = filmed(house, data=MP4)
    address = f"/training/ticket-escalation/video/{made.pk}/"
    answer = as_(house.anna).get(address, headers={"Range": asked})
    sent = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
    answer.close()
    assert answer.status_code == status
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["Content-Type"] == "video/mp4"
    assert answer["X-Content-Type-Options"] == "nosniff"
    if status == 416:
        assert (answer["Content-Range"], sent) == (f"bytes */{SIZE}", b"")
        return
    assert sent == MP4[first : last + 1]
    assert int(answer["Content-Length"]) == len(sent)
    if status == 206:
        assert answer["Content-Range"] == f"bytes {first}-{last}/{SIZE}"


def test_a_part_is_of_the_file_whose_beginning_one_has(house: House) -> None:
    made = filmed(house)
    client, address = as_(house.anna), f"/training/ticket-escalation/video/{made.pk}/"
    etag = client.get(address)["ETag"]

    def status(**headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.get(address, headers=named).status_code

    assert status(Range="bytes=5-", If_Range=etag) == 206
    assert status(Range="bytes=5-", If_Range='"another"') == 200
    assert status(Range="bytes=5-", If_Range="Wed, 21 Oct 2026 07:28:00 GMT") == 200
    assert status(If_None_Match=etag) == 304
    assert status(If_Match='"another"') == 412
    head = client.head(address, headers={"Range": "bytes=5-"})
    assert (head.status_code, head["Content-Length"]) == (200, str(len(WEBM)))


def test_a_drafts_video_is_seen_by_leads_alone_and_a_lost_file_is_not_found(
    house: House, tmp_path: Path
) -> None:
    made = film(draft(published()), house.marco, now=after(minutes=6))
    address = f"/training/ticket-escalation/video/{made.pk}/"
    assert as_(house.marco).get(address).status_code == 200
    assert as_(house.anna).get(address).status_code == 404
    assert as_(house.anna).get(f"{address}captions/").status_code == 404
    assert as_(house.marco).get(f"/training/elsewhere/video/{made.pk}/").status_code == 404
    (tmp_path / str(made.file)).unlink()
    assert as_(house.marco).get(address).status_code == 404


# Authors


def sent(*, data: bytes = WEBM, captions: bytes = CAPTIONS, language: str = "en") -> dict[str, Any]:
    return {
        "do": "add",
        "language": language,
        "video": SimpleUploadedFile("../../evil.svg", data, "image/svg+xml"),
        "captions": SimpleUploadedFile("captions.vtt", captions),
    }


def test_a_lead_adds_a_video_replaces_it_and_removes_it_with_its_file(
    house: House, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    draft(published())
    lead, page = as_(house.marco), "/training/ticket-escalation/versions/2/lesson/"
    for data, mime in ((WEBM, "video/webm"), (MP4, "video/mp4")):
        with django_capture_on_commit_callbacks(execute=True):
            assert lead.post(page, sent(data=data)).status_code == 302
        made = LessonVideo.objects.get()
        assert (made.mime, made.added_by) == (mime, house.marco)
        kept = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert [path.read_bytes() for path in kept] == [data]
        assert kept[0].relative_to(tmp_path).parts[0] == "lessons"
        assert "evil" not in kept[0].name
    with django_capture_on_commit_callbacks(execute=True):
        lead.post(page, {"do": "remove", "language": "en"})
    assert not LessonVideo.objects.exists()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert as_(house.anna).post(page, sent()).status_code == 403


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"data": b"<svg xmlns='http://www.w3.org/2000/svg'/>"}, "neither an MP4 nor a WebM"),
        ({"data": WEBM.replace(b"webm", b"mkv!")}, "neither an MP4 nor a WebM"),
        ({"data": WEBM * 600}, "larger than"),
        ({"language": "fr"}, "fr"),
        ({"captions": b"\xff\xfe"}, "not UTF-8"),
        ({"captions": b"1\n00:00.000 --> 00:01.000\nHello"}, "first line is WEBVTT"),
        ({"captions": b"WEBVTT\n"}, "no cue"),
        ({"captions": b"WEBVTT\n00:00.000 --> 00:01.000\nHello"}, "line 2"),
        ({"captions": b"WEBVTT\n\nHello"}, "line 3: This has no times"),
        ({"captions": b"WEBVTT\n\n0:0 --> 0:1\nHello"}, "line 3: These are no times"),
        ({"captions": b"WEBVTT\n\n00:02.000 --> 00:01.000\nHello"}, "ends before it begins"),
        ({"captions": b"WEBVTT\n\n00:01.000 --> 00:02.000\n<i></i>"}, "Nothing is said"),
        ({"captions": CAPTIONS + b"\n00:01.000 --> 00:02.000\nBack"}, "line 12: It begins before"),
        ({"captions": CAPTIONS + b"\0"}, "zero byte"),
        ({"captions": CAPTIONS + b"\nNOTE " + b"x" * 1_000_000}, "more than 1000000 bytes"),
    ],
)
def test_what_is_no_video_with_captions_is_refused_at_its_field(
    house: House, settings: Any, wrong: dict[str, Any], said: str
) -> None:
    settings.HELPDESK_LESSON_VIDEO_SIZE = 1_000_000
    draft(published())
    answer = as_(house.marco).post("/training/ticket-escalation/versions/2/lesson/", sent(**wrong))
    assert answer.status_code == 422
    assert said in text(answer).split("field-error")[1]
    assert not LessonVideo.objects.exists()


def test_a_published_lesson_stays_and_the_next_version_may_use_its_video(
    house: House, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    made = filmed(house)
    lead = as_(house.marco)
    page = "/training/ticket-escalation/versions/{}/lesson/"
    for wrong in (sent(), {"do": "remove", "language": "en"}):
        assert lead.post(page.format(2), wrong).status_code == 422
    third = draft(made.version)
    assert lead.post(page.format(3), {"do": "take-over", "language": "de"}).status_code == 422
    assert lead.post(page.format(3), {"do": "take-over", "language": "en"}).status_code == 302
    assert LessonVideo.objects.get(version=third).file == made.file
    with django_capture_on_commit_callbacks(execute=True):
        versions.discard(version_id=third.pk, by=house.marco, now=after(minutes=9))
    assert (tmp_path / str(made.file)).read_bytes() == WEBM, "the published one still has it"
    fourth = draft(made.version)
    other = film(fourth, house.marco, now=after(minutes=9), data=MP4)
    with django_capture_on_commit_callbacks(execute=True):
        versions.discard(version_id=fourth.pk, by=house.marco, now=after(minutes=9))
    assert not (tmp_path / str(other.file)).exists()


def test_the_video_of_a_language_that_is_no_longer_written_goes(house: House) -> None:
    first = published()
    draft(first)
    as_(house.marco).post("/training/ticket-escalation/versions/2/lesson/", sent(language="de"))
    assert LessonVideo.objects.get().language == "de"
    texts = {"en": with_front(first.texts["en"], {"change": "English alone."})}
    versions.write(texts=texts, by=house.grace, now=after(hours=1))
    assert not LessonVideo.objects.exists()


def test_captions_are_read_as_browsers_read_them() -> None:
    cues = read_cues(CAPTIONS.decode())
    assert [(cue.begin, cue.end, cue.text) for cue in cues] == [
        (0, 2.5, "First we assess."),
        (2.5, 3604, "Then we gather, search & ask."),
    ]
